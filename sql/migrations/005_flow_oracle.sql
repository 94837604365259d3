-- Patient flow once more, in SQL: timelines and windows from the stored events alone.
-- Never edit this file after a release; add the next number instead.
--
-- The service folds events into visits and windows in Swift; nothing here is called by it, and nothing of it is called
-- here. `vitalstream verify` compares the two. Definitions with their reasons: docs/windows.md. Times inside these
-- functions are milliseconds since 1970 UTC; everything is one pass of sorts and hashes over the events.

-- Timelines -----------------------------------------------------------------------------------------------------

-- Sets of events of one visit, each to be folded by itself.
-- p_late false: one fold a visit with all its events. p_late true: two folds for each event that can change a window
-- that was over, number 2n without it and 2n + 1 with it, both with what stands before it in the log.
-- Windows are asked for that end after `lower`, and that begin (p_late: end) at or before `frontier`.
CREATE FUNCTION ops.flow_fold(p_late boolean) RETURNS TABLE (
    fold bigint, facility_id text, frontier bigint, lower bigint,
    event_id uuid, event text, sector_id text, to_sector_id text, occurred bigint
) LANGUAGE sql STABLE ROWS 1000000
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '48MB' AS $$
    WITH stored AS MATERIALIZED (
        SELECT e.event_id, e.event, e.facility_id, e.sector_id, e.to_sector_id, e.visit_id,
            round(date_part('epoch', e.occurred_at) * 1000)::bigint AS occurred,
            e.source_partition AS part, e.source_offset AS place
        FROM silver.patient_flow_event AS e
    ),
    frontiers AS (
        SELECT s.facility_id, max(s.occurred) AS frontier FROM stored AS s GROUP BY s.facility_id
    ),
    visits AS (
        SELECT s.facility_id, s.visit_id, row_number() OVER () AS fold
        FROM stored AS s
        GROUP BY s.facility_id, s.visit_id
    ),
    logged AS (
        SELECT s.*,
            max(s.occurred) OVER (PARTITION BY s.facility_id COLLATE "C" ORDER BY s.part, s.place
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM stored AS s
        WHERE p_late
    ),
    placed AS (
        SELECT l.*,
            max(l.occurred) OVER (PARTITION BY l.facility_id COLLATE "C", l.visit_id COLLATE "C"
                ORDER BY l.part, l.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last,
            bool_or(l.event = 'left_without_being_seen') OVER v AS has_unseen,
            min(l.occurred) OVER v AS first
        FROM logged AS l
        WINDOW v AS (PARTITION BY l.facility_id COLLATE "C", l.visit_id COLLATE "C")
    ),
    -- An event changes what was at or after its own time, but for these: a cancellation; left unseen, which turns an
    -- earlier departure into one of its kind; a treatment, which takes a leaving unseen back; and whatever comes after
    -- the 60 days that end a visit without a word, or the 366 that end any.
    reaching AS (
        SELECT p.*,
            CASE WHEN p.event IN ('cancelled', 'left_without_being_seen')
                    OR (p.event = 'treatment_start' AND p.has_unseen)
                    OR p.occurred > p.last + 5184000000 OR p.occurred > p.first + 31622400000
                THEN 0 ELSE p.occurred END AS lower
        FROM placed AS p
    ),
    candidate AS MATERIALIZED (
        SELECT r.*, row_number() OVER () AS number
        FROM reaching AS r
        WHERE r.lower < r.before
    )
    SELECT v.fold, s.facility_id, f.frontier, 0, s.event_id, s.event, s.sector_id, s.to_sector_id, s.occurred
    FROM stored AS s
    JOIN visits AS v ON v.facility_id = s.facility_id AND v.visit_id = s.visit_id
    JOIN frontiers AS f ON f.facility_id = s.facility_id
    WHERE NOT p_late
    UNION ALL
    SELECT 2 * c.number + a.n, c.facility_id, c.before, c.lower,
        s.event_id, s.event, s.sector_id, s.to_sector_id, s.occurred
    FROM candidate AS c
    JOIN stored AS s ON s.facility_id = c.facility_id AND s.visit_id = c.visit_id
    CROSS JOIN (VALUES (0), (1)) AS a (n)
    WHERE p_late
        AND ((s.part, s.place) < (c.part, c.place) OR (a.n = 1 AND s.event_id = c.event_id))
$$;

-- Where the patient of each fold was: one row a stay, first to last, without a gap. Whoever left when they came has
-- one stay of no length, which is in no census but has its arrival and its end.
CREATE FUNCTION ops.flow_stay(p_late boolean) RETURNS TABLE (
    fold bigint, facility_id text, frontier bigint, lower bigint, sector_id text,
    from_ms bigint, to_ms bigint, is_first boolean, is_last boolean,
    arrival bigint, start bigint, gone bigint, left_as text
) LANGUAGE sql STABLE ROWS 300000
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '48MB' AS $$
    WITH said AS MATERIALIZED (
        SELECT * FROM ops.flow_fold(p_late)
    ),
    seen AS (
        SELECT
            s.fold,
            min(s.occurred) FILTER (WHERE s.event = 'arrival') AS arrival,
            min(s.occurred) FILTER (WHERE s.event = 'treatment_start') AS start,
            min(s.occurred) FILTER (WHERE s.event = 'departure') AS departed,
            min(s.occurred) FILTER (WHERE s.event = 'left_without_being_seen') AS unseen,
            max(s.occurred) AS last
        FROM said AS s
        GROUP BY s.fold
        HAVING NOT bool_or(s.event = 'cancelled')
    ),
    timeline AS (
        SELECT
            n.fold,
            n.arrival,
            CASE WHEN n.start IS NOT NULL THEN greatest(n.arrival, n.start) END AS start,
            -- 60 days without a word end a visit, and 366 days end any.
            least(n.arrival + 31622400000, CASE
                WHEN n.start IS NULL AND n.unseen IS NOT NULL THEN greatest(n.arrival, least(n.departed, n.unseen))
                WHEN n.departed IS NOT NULL THEN greatest(n.arrival, n.departed)
                ELSE n.last + 5184000000
            END) AS gone,
            CASE
                WHEN n.start IS NULL AND n.unseen IS NOT NULL THEN 'left_without_being_seen'
                WHEN n.departed IS NOT NULL THEN 'departure'
            END AS left_as
        FROM seen AS n
        WHERE n.arrival IS NOT NULL
    ),
    heard AS (
        SELECT DISTINCT ON (s.fold, s.occurred)
            s.fold, s.facility_id, s.frontier, s.lower, s.occurred, t.arrival, t.start, t.gone, t.left_as,
            CASE WHEN s.event = 'transfer' THEN s.to_sector_id ELSE s.sector_id END AS sector_id
        FROM said AS s
        JOIN timeline AS t ON t.fold = s.fold
        WHERE s.occurred >= t.arrival AND (s.occurred < t.gone OR s.occurred = t.arrival)
        ORDER BY s.fold, s.occurred, s.event_id DESC
    ),
    followed AS (
        SELECT h.*, lag(h.sector_id) OVER (PARTITION BY h.fold ORDER BY h.occurred) AS sector_before
        FROM heard AS h
    ),
    moved AS (
        SELECT f.*,
            lead(f.occurred) OVER (PARTITION BY f.fold ORDER BY f.occurred) AS left_at
        FROM followed AS f
        WHERE f.sector_before IS DISTINCT FROM f.sector_id
    )
    SELECT m.fold, m.facility_id, m.frontier, m.lower, m.sector_id, m.occurred, coalesce(m.left_at, m.gone),
        m.sector_before IS NULL, m.left_at IS NULL, m.arrival, m.start, m.gone, m.left_as
    FROM moved AS m
$$;

-- Windows -------------------------------------------------------------------------------------------------------

-- One row a window that has to exist: of a facility (fold is 0) or, with p_late, of each fold by itself.
-- A level (census, waiting ...) is a running sum of steps; a window's start and end are steps of nothing, so that the
-- levels between two steps are constant and lie in one window.
CREATE FUNCTION ops.flow_window(p_minutes integer[], p_late boolean) RETURNS TABLE (
    fold bigint, facility_id text, sector_id text, window_minutes integer, start_ms bigint,
    arrivals integer, transfers_in integer, transfers_out integer, treatment_starts integer, departures integer,
    left_without_being_seen integer, census_start integer, census_end integer, census_max integer,
    census_mean double precision, waiting_end integer, waiting_max integer, in_treatment_end integer,
    boarding_end integer, wait_mean_minutes double precision, wait_p50_minutes double precision,
    wait_p90_minutes double precision, longest_current_wait_minutes double precision, four_hour_share double precision
) LANGUAGE sql STABLE ROWS 1000000
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '48MB' AS $$
    WITH length AS MATERIALIZED (
        SELECT DISTINCT m.minutes, m.minutes * 60000::bigint AS ms FROM unnest(p_minutes) AS m (minutes)
    ),
    stay AS MATERIALIZED (
        SELECT CASE WHEN p_late THEN s.fold ELSE 0 END AS owner, s.* FROM ops.flow_stay(p_late) AS s
    ),
    named AS MATERIALIZED (
        SELECT DISTINCT CASE WHEN p_late THEN f.fold ELSE 0 END AS owner, f.facility_id, n.sector_id, f.occurred,
            f.frontier, f.lower
        FROM ops.flow_fold(p_late) AS f
        CROSS JOIN LATERAL (VALUES (f.sector_id), (CASE WHEN f.event = 'transfer' THEN f.to_sector_id END))
            AS n (sector_id)
        WHERE n.sector_id IS NOT NULL
    ),
    -- Numbers are sorted faster than names.
    place AS MATERIALIZED (
        SELECT row_number() OVER () AS place, p.*
        FROM (
            SELECT n.owner, n.facility_id, n.sector_id, n.frontier, n.lower
            FROM named AS n GROUP BY n.owner, n.facility_id, n.sector_id, n.frontier, n.lower
        ) AS p
    ),
    placed AS MATERIALIZED (
        SELECT p.place, p.frontier AS through, s.*,
            least(s.to_ms, s.start, s.gone) AS waited_to,
            greatest(s.from_ms, s.start) AS treated_from,
            s.start >= s.from_ms AND s.start < s.to_ms AS has_start
        FROM stay AS s
        JOIN place AS p ON p.owner = s.owner AND p.facility_id = s.facility_id AND p.sector_id = s.sector_id
    ),
    instant AS MATERIALIZED (
        SELECT p.place, i.at, i.kind, i.ms
        FROM placed AS p
        CROSS JOIN LATERAL (VALUES
            (CASE WHEN p.is_first THEN p.arrival END, 'arrival', NULL::bigint),
            (CASE WHEN NOT p.is_first THEN p.from_ms END, 'in', NULL),
            (CASE WHEN NOT p.is_last THEN p.to_ms END, 'out', NULL),
            (CASE WHEN p.has_start OR (p.is_last AND p.start >= p.gone) THEN p.start END, 'start',
                p.start - p.arrival),
            (CASE WHEN p.is_last AND p.left_as IS NOT NULL THEN p.gone END, p.left_as, p.gone - p.arrival)
        ) AS i (at, kind, ms)
        WHERE i.at IS NOT NULL
    ),
    -- A boarder counts from 240 minutes after the treatment began, that instant included, where all else is counted
    -- after its beginning: hence the millisecond.
    step AS MATERIALIZED (
        SELECT p.place, s.at, sum(s.census)::integer AS census, sum(s.waiting)::integer AS waiting,
            sum(s.treated)::integer AS treated, sum(s.boarding)::integer AS boarding
        FROM placed AS p
        CROSS JOIN LATERAL (VALUES
            (p.from_ms < p.to_ms, p.from_ms, 1, 0, 0, 0),
            (p.from_ms < p.to_ms, p.to_ms, -1, 0, 0, 0),
            (p.from_ms < p.waited_to, p.from_ms, 0, 1, 0, 0),
            (p.from_ms < p.waited_to, p.waited_to, 0, -1, 0, 0),
            (p.start IS NOT NULL AND p.treated_from < p.to_ms, p.treated_from, 0, 0, 1, 0),
            (p.start IS NOT NULL AND p.treated_from < p.to_ms, p.to_ms, 0, 0, -1, 0),
            (p.has_start AND p.start + 14400000 <= p.to_ms, p.start + 14399999, 0, 0, 0, 1),
            (p.has_start AND p.start + 14400000 <= p.to_ms, p.to_ms, 0, 0, 0, -1)
        ) AS s (is_real, at, census, waiting, treated, boarding)
        WHERE s.is_real
        GROUP BY p.place, s.at
    ),
    -- Times when somebody was present, as few intervals.
    present AS (
        SELECT s.place, s.at, sum(s.census) OVER (PARTITION BY s.place ORDER BY s.at) > 0 AS anybody FROM step AS s
    ),
    turn AS (
        SELECT p.*, lag(p.anybody, 1, false) OVER (PARTITION BY p.place ORDER BY p.at) AS anybody_before
        FROM present AS p
    ),
    period AS (
        SELECT t.place, t.at AS from_ms, lead(t.at) OVER (PARTITION BY t.place ORDER BY t.at) AS to_ms, t.anybody
        FROM turn AS t
        WHERE t.anybody <> t.anybody_before
    ),
    -- Which windows there are.
    reason AS (
        SELECT l.minutes, l.ms, n.place, n.at / l.ms AS number
        FROM (
            SELECT p.place, n.occurred AS at
            FROM named AS n
            JOIN place AS p ON p.owner = n.owner AND p.facility_id = n.facility_id AND p.sector_id = n.sector_id
            UNION
            SELECT i.place, i.at FROM instant AS i
        ) AS n
        CROSS JOIN length AS l
        UNION
        SELECT l.minutes, l.ms, d.place, g.number
        FROM period AS d
        JOIN place AS p ON p.place = d.place
        CROSS JOIN length AS l
        CROSS JOIN LATERAL generate_series(
            greatest(d.from_ms, p.lower) / l.ms, least(d.to_ms - 1, p.frontier) / l.ms) AS g (number)
        WHERE d.anybody
    ),
    slot AS MATERIALIZED (
        SELECT r.minutes, r.ms, r.place, r.number
        FROM reason AS r
        JOIN place AS p ON p.place = r.place
        WHERE (r.number + 1) * r.ms > p.lower
            AND (r.number + CASE WHEN p_late THEN 1 ELSE 0 END) * r.ms <= p.frontier
    ),
    point AS (
        SELECT q.ms, q.place, q.at, sum(q.census)::integer AS census, sum(q.waiting)::integer AS waiting,
            sum(q.treated)::integer AS treated, sum(q.boarding)::integer AS boarding, bool_or(q.begins) AS begins
        FROM (
            SELECT l.ms, s.place, s.at, s.census, s.waiting, s.treated, s.boarding, false AS begins
            FROM step AS s
            CROSS JOIN length AS l
            UNION ALL
            SELECT s.ms, s.place, s.number * s.ms, 0, 0, 0, 0, true FROM slot AS s
            UNION ALL
            SELECT s.ms, s.place, (s.number + 1) * s.ms, 0, 0, 0, 0, false FROM slot AS s
        ) AS q
        GROUP BY q.ms, q.place, q.at
    ),
    level AS (
        SELECT p.*,
            sum(p.census) OVER w AS present, sum(p.waiting) OVER w AS waits, sum(p.treated) OVER w AS in_treatment,
            sum(p.boarding) OVER w AS boards, lead(p.at) OVER w - p.at AS lasts
        FROM point AS p
        WINDOW w AS (PARTITION BY p.ms, p.place ORDER BY p.at)
    ),
    -- The level at a window's start, without what happens at that very instant, is the one just before it.
    levels AS (
        SELECT
            v.ms, v.place, v.at / v.ms AS number,
            max(v.present - v.census) FILTER (WHERE v.begins) AS census_start,
            max(v.present - v.census) FILTER (WHERE v.begins) + sum(v.census) AS census_end,
            max(v.present) AS census_max,
            sum((v.present * v.lasts)::double precision) AS census_ms,
            max(v.waits - v.waiting) FILTER (WHERE v.begins) + sum(v.waiting) AS waiting_end,
            max(v.waits) AS waiting_max,
            max(v.in_treatment - v.treated) FILTER (WHERE v.begins) + sum(v.treated) AS in_treatment_end,
            max(v.boards - v.boarding) FILTER (WHERE v.begins) + sum(v.boarding) AS boarding_end
        FROM level AS v
        GROUP BY v.ms, v.place, v.at / v.ms
        HAVING bool_or(v.begins)
    ),
    counted AS (
        SELECT
            l.ms, i.place, i.at / l.ms AS number,
            count(*) FILTER (WHERE i.kind = 'arrival') AS arrivals,
            count(*) FILTER (WHERE i.kind = 'in') AS transfers_in,
            count(*) FILTER (WHERE i.kind = 'out') AS transfers_out,
            count(*) FILTER (WHERE i.kind = 'start') AS starts,
            count(*) FILTER (WHERE i.kind = 'departure') AS departures,
            count(*) FILTER (WHERE i.kind = 'left_without_being_seen') AS unseen,
            count(*) FILTER (WHERE i.kind IN ('departure', 'left_without_being_seen')) AS gone,
            count(*) FILTER (WHERE i.kind IN ('departure', 'left_without_being_seen') AND i.ms <= 14400000) AS quick,
            sum(i.ms) FILTER (WHERE i.kind = 'start') AS waited,
            percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY i.ms) FILTER (WHERE i.kind = 'start') AS waits
        FROM instant AS i
        CROSS JOIN length AS l
        GROUP BY l.ms, i.place, i.at / l.ms
    ),
    -- Who waits just before a window's end and came first.
    oldest AS (
        SELECT l.ms, p.place, g.number, min(p.arrival) AS arrival
        FROM placed AS p
        CROSS JOIN length AS l
        CROSS JOIN LATERAL generate_series(
            greatest(p.from_ms, p.lower) / l.ms, least(p.waited_to / l.ms - 1, p.through / l.ms)) AS g (number)
        WHERE p.from_ms < p.waited_to
        GROUP BY l.ms, p.place, g.number
    )
    SELECT
        p.owner, p.facility_id, p.sector_id, s.minutes, s.number * s.ms,
        coalesce(c.arrivals, 0)::integer, coalesce(c.transfers_in, 0)::integer, coalesce(c.transfers_out, 0)::integer,
        coalesce(c.starts, 0)::integer, coalesce(c.departures, 0)::integer, coalesce(c.unseen, 0)::integer,
        v.census_start::integer, v.census_end::integer, v.census_max::integer,
        v.census_ms / s.ms::double precision,
        v.waiting_end::integer, v.waiting_max::integer, v.in_treatment_end::integer, v.boarding_end::integer,
        c.waited::double precision / (nullif(c.starts, 0) * 60000)::double precision,
        c.waits[1]::double precision / 60000, c.waits[2]::double precision / 60000,
        ((s.number + 1) * s.ms - o.arrival)::double precision / 60000,
        c.quick::double precision / nullif(c.gone, 0)::double precision
    FROM slot AS s
    JOIN place AS p ON p.place = s.place
    JOIN levels AS v ON v.ms = s.ms AND v.place = s.place AND v.number = s.number
    LEFT JOIN counted AS c ON c.ms = s.ms AND c.place = s.place AND c.number = s.number
    LEFT JOIN oldest AS o ON o.ms = s.ms AND o.place = s.place AND o.number = s.number
$$;

-- Rights --------------------------------------------------------------------------------------------------------

-- They read what their caller may read, and say nothing about a patient that the tables do not.
GRANT EXECUTE ON FUNCTION
    ops.flow_fold(boolean),
    ops.flow_stay(boolean),
    ops.flow_window(integer[], boolean)
TO vitalstream_service, vitalstream_analyst;
