-- The life of the data: what stands in which partition, emptying the default partition, retention and its books.
-- Functions here that change anything run with the owner's rights: each has a fixed search_path, names every object
-- with its schema, and takes no text into a statement but names of partitions that the catalogue knows.
-- Never edit this file after a release; add the next number instead.

-- Books of retention -------------------------------------------------------------------------------------------

-- Which dead letters went; empty for other tables.
ALTER TABLE ops.retention_run
    ADD COLUMN topic text,
    ADD COLUMN partition integer;

-- What retention takes from bronze.dead_letter must not be missed by the ledger, nor counted twice when another group
-- reads an old message again and leaves its letter anew. So of each row the letters below settled_before are not
-- looked at any more: settled_letters says how many of `rejected` they were.
-- rejected = settled_letters + letters with an offset in [greatest(first_offset, settled_before), next_offset), but for
-- those that the group has retried
ALTER TABLE ops.partition_progress
    ADD COLUMN settled_before bigint NOT NULL DEFAULT 0,
    ADD COLUMN settled_letters bigint NOT NULL DEFAULT 0 CHECK (settled_letters >= 0);

-- The partitions of silver.vital_reading; range_from and range_to are null for the default partition. Rows are the
-- server's estimate.
CREATE VIEW ops.reading_partition AS
SELECT c.relname::text AS partition_name,
    substring(b.bound FROM 'FROM \(''([^'']+)''\)')::timestamptz AS range_from,
    substring(b.bound FROM 'TO \(''([^'']+)''\)')::timestamptz AS range_to,
    b.bound = 'DEFAULT' AS is_default,
    coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0), greatest(c.reltuples, 0)::bigint) AS estimated_rows,
    pg_total_relation_size(c.oid) AS total_bytes
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bound) AS b
WHERE i.inhparent = 'silver.vital_reading'::regclass AND NOT i.inhdetachpending;

-- The default partition -----------------------------------------------------------------------------------------

-- Moves the rows of one UTC day from the default partition into a partition of its own, in the caller's transaction,
-- and returns how many there were. Every row is in exactly one of the two for everybody, at any time.
-- The long part, copying and indexing, holds nobody up. Then writers wait, at the parent, where the server has not
-- chosen a partition for their rows yet: what they changed meanwhile is copied again and the old rows are deleted. At
-- the end readers wait too, while the server looks through the default partition once: one that had planned before and
-- read after would see the rows in neither.
CREATE FUNCTION silver.empty_default(p_day date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_start  timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
    v_end    timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
    v_name   text := 'vital_reading_' || to_char(p_day, 'YYYYMMDD');
    v_day    text := format('recorded_at >= %L AND recorded_at < %L', v_start, v_end);
    v_oldest integer;
    v_copied bigint;
    v_rows   bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'empty_default has to see what was committed before its lock: use READ COMMITTED'
            USING ERRCODE = '25001';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('silver.make_partitions', 0));
    IF to_regclass(format('silver.%I', v_name)) IS NOT NULL THEN
        IF EXISTS (SELECT FROM ops.reading_partition WHERE partition_name = v_name) THEN
            RETURN 0;
        END IF;
        RAISE EXCEPTION 'silver.% is there but is no partition of silver.vital_reading: rename or drop it', v_name
            USING ERRCODE = '55000';
    END IF;
    -- The check spares the server a second look at the rows when they are attached; the indexes are built once all
    -- rows are there. Attaching makes any that the parent has and this lacks.
    EXECUTE format('CREATE TABLE silver.%I (LIKE silver.vital_reading INCLUDING DEFAULTS, CONSTRAINT day CHECK (%s)) '
        'WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)', v_name, v_day);
    -- Whatever the copy cannot see was written by a transaction that is not older than this.
    v_oldest := age(pg_snapshot_xmin(pg_current_snapshot())::xid);
    EXECUTE format('INSERT INTO silver.%I SELECT * FROM ONLY silver.vital_reading_default WHERE %s '
        'ORDER BY patient_id, recorded_at', v_name, v_day);
    GET DIAGNOSTICS v_copied = ROW_COUNT;
    EXECUTE format('ALTER TABLE silver.%I ADD PRIMARY KEY (patient_id, recorded_at)', v_name);
    EXECUTE format('CREATE INDEX ON silver.%I USING brin ('
        '(((date_part(''epoch'', recorded_at - timestamptz ''epoch'') * 1000)::bigint)::numeric)) '
        'WITH (pages_per_range = 32)', v_name);
    EXECUTE format('ANALYZE silver.%I', v_name);

    LOCK TABLE silver.vital_reading IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('DELETE FROM silver.%I AS c USING ONLY silver.vital_reading_default AS v WHERE %s '
        'AND age(v.xmin) <= %s AND c.patient_id = v.patient_id AND c.recorded_at = v.recorded_at',
        v_name, replace(v_day, 'recorded_at', 'v.recorded_at'), v_oldest);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_copied := v_copied - v_rows;
    EXECUTE format('INSERT INTO silver.%I SELECT * FROM ONLY silver.vital_reading_default '
        'WHERE %s AND age(xmin) <= %s', v_name, v_day, v_oldest);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_copied := v_copied + v_rows;
    EXECUTE format('DELETE FROM ONLY silver.vital_reading_default WHERE %s', v_day);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows <> v_copied THEN
        RAISE EXCEPTION 'rows of % were deleted while they were copied', p_day USING ERRCODE = '40001';
    END IF;
    LOCK TABLE silver.vital_reading IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('ALTER TABLE silver.vital_reading ATTACH PARTITION silver.%I FOR VALUES FROM (%L) TO (%L)',
        v_name, v_start, v_end);
    EXECUTE format('ALTER TABLE silver.%I DROP CONSTRAINT day', v_name);
    RETURN v_rows;
END
$$;

-- Retention -----------------------------------------------------------------------------------------------------

-- Refuses a bound of retention that a slip could have made: nothing younger than a whole UTC day is ever dropped.
CREATE FUNCTION ops.check_retention(p_before timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_before IS NULL OR p_before > date_trunc('day', now(), 'UTC') - interval '24 hours' THEN
        RAISE EXCEPTION 'retention keeps at least one whole day: % is too late a bound', p_before
            USING ERRCODE = '22023';
    END IF;
    -- The counts are booked: each statement has to see what was committed before it got its lock.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'retention counts what it drops: use READ COMMITTED' USING ERRCODE = '25001';
    END IF;
END
$$;

-- Drops one partition of readings that ends at or before p_before, books it, returns its rows.
-- Locks in everybody's order, the table before its partitions: a lane with a late reading holds the table and waits for
-- the partition, so whoever held the partition and then asked for the table would deadlock for as long as late readings
-- come. Writers of all days wait while the rows are counted. That the wait be short, they are counted once before,
-- which brings them into memory and holds nobody up. Readers wait only while the partition leaves the catalogue.
CREATE FUNCTION ops.drop_reading_partition(p_partition text, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_partition ops.reading_partition;
    v_rows      bigint;
BEGIN
    PERFORM ops.check_retention(p_before);
    -- Detaching locks the default partition too: not while others make or fill partitions.
    PERFORM pg_advisory_xact_lock(hashtextextended('silver.make_partitions', 0));
    SELECT * INTO v_partition FROM ops.reading_partition WHERE partition_name = p_partition AND NOT is_default;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'silver.vital_reading has no partition %', p_partition USING ERRCODE = '42P01';
    END IF;
    IF v_partition.range_to IS NULL OR v_partition.range_to > p_before THEN
        RAISE EXCEPTION 'partition % reaches beyond %', p_partition, p_before USING ERRCODE = '22023';
    END IF;
    EXECUTE format('SELECT count(*) FROM ONLY silver.%I', p_partition) INTO v_rows;
    LOCK TABLE silver.vital_reading IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('SELECT count(*) FROM ONLY silver.%I', p_partition) INTO v_rows;
    EXECUTE format('ALTER TABLE silver.vital_reading DETACH PARTITION silver.%I', p_partition);
    EXECUTE format('DROP TABLE silver.%I', p_partition);
    INSERT INTO ops.retention_run (table_name, partition_name, range_from, range_to, dropped_rows)
    VALUES ('silver.vital_reading', p_partition, v_partition.range_from, v_partition.range_to, v_rows);
    RETURN v_rows;
END
$$;

-- Deletes from p_blocks pages of a table, from page p_first on, the rows about times before p_before, and adds them to
-- run p_run (or to a new run). One pass from page 0 to the end meets every row, with or without an index.
CREATE FUNCTION ops.expire_rows(
    p_table text, p_before timestamptz, p_first bigint, p_blocks bigint, p_run bigint
) RETURNS TABLE (run bigint, deleted bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_from  tid;
    v_to    tid;
    v_least timestamptz;
    v_most  timestamptz;
    v_name  text;
BEGIN
    PERFORM ops.check_retention(p_before);
    IF p_first < 0 OR p_blocks NOT BETWEEN 1 AND 65536 THEN
        RAISE EXCEPTION 'expire_rows: 1 to 65536 pages a call, not %', p_blocks USING ERRCODE = '22023';
    END IF;
    v_from := format('(%s,0)', p_first)::tid;
    v_to := format('(%s,0)', p_first + p_blocks)::tid;
    CASE p_table
        WHEN 'silver.vital_reading' THEN
            v_name := 'vital_reading_default';
            -- Not while a day is copied out of it.
            PERFORM pg_advisory_xact_lock(hashtextextended('silver.make_partitions', 0));
            WITH gone AS (
                DELETE FROM ONLY silver.vital_reading_default
                WHERE ctid >= v_from AND ctid < v_to AND recorded_at < p_before RETURNING recorded_at)
            SELECT count(*), min(recorded_at), max(recorded_at) INTO deleted, v_least, v_most FROM gone;
        WHEN 'silver.vital_reading_history' THEN
            v_name := 'vital_reading_history';
            WITH gone AS (
                DELETE FROM silver.vital_reading_history
                WHERE ctid >= v_from AND ctid < v_to AND recorded_at < p_before RETURNING recorded_at)
            SELECT count(*), min(recorded_at), max(recorded_at) INTO deleted, v_least, v_most FROM gone;
        ELSE
            RAISE EXCEPTION 'expire_rows does not know table %', p_table USING ERRCODE = '22023';
    END CASE;
    run := p_run;
    IF deleted > 0 THEN
        run := ops.book_retention(p_run, p_table, v_name, NULL, NULL, v_least, v_most, p_before, deleted);
    END IF;
    RETURN NEXT;
END
$$;

-- Deletes dead letters of one partition of a topic that were received before p_before, looking at p_limit letters from
-- offset p_from on; adds them to run p_run (or to a new run) and settles them in the ledger. next_from is where to go
-- on, null at the end.
CREATE FUNCTION ops.expire_dead_letters(
    p_topic text, p_partition integer, p_before timestamptz, p_from bigint, p_limit integer, p_run bigint
) RETURNS TABLE (run bigint, deleted bigint, next_from bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_last  bigint;
    v_gone  bigint;
    v_seen  integer;
    v_least timestamptz;
    v_most  timestamptz;
BEGIN
    PERFORM ops.check_retention(p_before);
    IF p_limit NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'expire_dead_letters: 1 to 100000 letters a call, not %', p_limit USING ERRCODE = '22023';
    END IF;
    -- Ledger before letters, groups in one order: as lanes, retry and offsets do.
    PERFORM FROM ops.partition_progress AS p
    WHERE p.topic = p_topic AND p.partition = p_partition ORDER BY p.consumer_group FOR UPDATE;
    SELECT count(*), max(l."offset"), max(l."offset") FILTER (WHERE l.received_at < p_before)
    INTO v_seen, v_last, v_gone
    FROM (SELECT d."offset", d.received_at FROM bronze.dead_letter AS d
        WHERE d.topic = p_topic AND d.partition = p_partition AND d."offset" >= p_from
        ORDER BY d."offset" LIMIT p_limit) AS l;
    run := p_run;
    next_from := CASE WHEN v_seen = p_limit THEN v_last + 1 END;
    deleted := 0;
    IF v_gone IS NOT NULL THEN
        UPDATE ops.partition_progress AS p
        SET settled_letters = p.settled_letters + (
                SELECT count(*) FROM bronze.dead_letter AS d
                WHERE d.topic = p_topic AND d.partition = p_partition
                    AND d."offset" >= greatest(p.first_offset, p.settled_before)
                    AND d."offset" < least(p.next_offset, v_gone + 1)
                    AND NOT EXISTS (SELECT FROM ops.dead_letter_retry AS r
                        WHERE r.consumer_group = p.consumer_group AND r.topic = p_topic AND r.partition = p_partition
                            AND r."offset" = d."offset")),
            settled_before = least(p.next_offset, v_gone + 1)
        WHERE p.topic = p_topic AND p.partition = p_partition
            AND p.settled_before < least(p.next_offset, v_gone + 1);
        WITH gone AS (
            DELETE FROM bronze.dead_letter AS d
            WHERE d.topic = p_topic AND d.partition = p_partition AND d."offset" BETWEEN p_from AND v_gone
                AND d.received_at < p_before RETURNING d.received_at)
        SELECT count(*), min(received_at), max(received_at) INTO deleted, v_least, v_most FROM gone;
        run := ops.book_retention(
            p_run, 'bronze.dead_letter', 'dead_letter', p_topic, p_partition, v_least, v_most, p_before, deleted);
    END IF;
    RETURN NEXT;
END
$$;

-- Adds deleted rows to a run of the same table, or to a new one; for the functions above only. The range covers whole
-- UTC days, up to the bound of retention.
CREATE FUNCTION ops.book_retention(
    p_run bigint, p_table text, p_name text, p_topic text, p_partition integer, p_least timestamptz,
    p_most timestamptz, p_before timestamptz, p_rows bigint
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_from timestamptz := date_trunc('day', p_least, 'UTC');
    v_to   timestamptz := least(date_trunc('day', p_most, 'UTC') + interval '24 hours', p_before);
    v_run  bigint;
BEGIN
    UPDATE ops.retention_run
    SET dropped_rows = dropped_rows + p_rows, range_from = least(range_from, v_from),
        range_to = greatest(range_to, v_to), ran_at = now()
    WHERE retention_run_id = p_run AND table_name = p_table AND partition_name = p_name
        AND topic IS NOT DISTINCT FROM p_topic AND partition IS NOT DISTINCT FROM p_partition
    RETURNING retention_run_id INTO v_run;
    IF NOT FOUND THEN
        INSERT INTO ops.retention_run
            (table_name, partition_name, range_from, range_to, dropped_rows, topic, partition)
        VALUES (p_table, p_name, v_from, v_to, p_rows, p_topic, p_partition)
        RETURNING retention_run_id INTO v_run;
    END IF;
    RETURN v_run;
END
$$;

-- Rights --------------------------------------------------------------------------------------------------------

GRANT EXECUTE ON FUNCTION
    silver.empty_default(date),
    ops.drop_reading_partition(text, timestamptz),
    ops.expire_rows(text, timestamptz, bigint, bigint, bigint),
    ops.expire_dead_letters(text, integer, timestamptz, bigint, integer, bigint)
TO vitalstream_service;
