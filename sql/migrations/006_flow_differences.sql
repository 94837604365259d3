-- Patient flow: what visits, windows and their revisions must be, and what is stored otherwise.
-- Never edit this file after a release; add the next number instead.
--
-- Uses 005, which makes timelines and windows from the stored events alone, as this makes visits.

-- Visits --------------------------------------------------------------------------------------------------------

-- What silver.patient_visit must hold.
CREATE FUNCTION ops.expected_visits() RETURNS TABLE (
    facility_id text, visit_id text, sector_id text, patient_id uuid, acuity smallint, impossible smallint,
    revision integer, arrival_at timestamptz, triage_at timestamptz, treatment_start_at timestamptz,
    departure_at timestamptz, last_event_at timestamptz, present_until timestamptz, wait_minutes double precision,
    disposition text
) LANGUAGE sql STABLE ROWS 250000
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '48MB' AS $$
    WITH seen AS (
        SELECT
            e.facility_id COLLATE "C" AS facility,
            e.visit_id COLLATE "C" AS visit,
            -- The sector of a cancelled event counts only where there is no other.
            (array_agg(CASE WHEN e.event = 'transfer' THEN e.to_sector_id ELSE e.sector_id END
                ORDER BY e.event <> 'cancelled' DESC, e.occurred_at DESC, e.event_id DESC))[1] AS sector,
            (array_agg(e.patient_id ORDER BY e.occurred_at DESC, e.event_id DESC)
                FILTER (WHERE e.patient_id IS NOT NULL))[1] AS patient,
            (array_agg(e.acuity ORDER BY e.occurred_at DESC, e.event_id DESC)
                FILTER (WHERE e.acuity IS NOT NULL))[1] AS acuity,
            count(*)::integer AS events,
            min(e.occurred_at) FILTER (WHERE e.event = 'arrival') AS arrival,
            min(e.occurred_at) FILTER (WHERE e.event = 'triage') AS triage,
            min(e.occurred_at) FILTER (WHERE e.event = 'treatment_start') AS start,
            min(e.occurred_at) FILTER (WHERE e.event = 'departure') AS departed,
            min(e.occurred_at) FILTER (WHERE e.event = 'left_without_being_seen') AS unseen,
            max(e.occurred_at) AS last,
            bool_or(e.event = 'cancelled') AS is_cancelled,
            bool_or(e.event <> 'cancelled') AS has_happened
        FROM silver.patient_flow_event AS e
        GROUP BY 1, 2
    ),
    judged AS (
        -- Who was treated did not leave unseen. least() passes over NULL.
        SELECT s.*, s.unseen IS NOT NULL AND s.start IS NULL AS left_unseen,
            least(s.departed, CASE WHEN s.start IS NULL THEN s.unseen END) AS gone
        FROM seen AS s
    )
    SELECT
        j.facility,
        j.visit,
        j.sector,
        j.patient,
        j.acuity,
        (CASE WHEN j.gone < j.arrival THEN 1 ELSE 0 END
            + CASE WHEN j.start < j.arrival THEN 2 ELSE 0 END
            + CASE WHEN j.triage < j.arrival THEN 4 ELSE 0 END
            + CASE WHEN j.gone < j.start THEN 8 ELSE 0 END
            + CASE WHEN j.arrival IS NULL AND j.has_happened THEN 16 ELSE 0 END)::smallint,
        j.events,
        j.arrival,
        j.triage,
        j.start,
        j.gone,
        j.last,
        CASE
            WHEN j.is_cancelled OR j.arrival IS NULL THEN NULL
            WHEN j.gone IS NOT NULL THEN least(greatest(j.arrival, j.gone), j.arrival + interval '8784 hours')
            ELSE least(j.last + interval '1440 hours', j.arrival + interval '8784 hours')
        END,
        CASE WHEN j.arrival IS NOT NULL AND j.start IS NOT NULL
            THEN greatest(0, round(date_part('epoch', j.start - j.arrival) * 1000)) / 60000 END,
        CASE
            WHEN j.is_cancelled THEN 'cancelled'
            WHEN j.left_unseen THEN 'left_without_being_seen'
            WHEN j.departed IS NOT NULL THEN 'departed'
            ELSE 'in_progress'
        END
    FROM judged AS j
$$;

-- Windows -------------------------------------------------------------------------------------------------------

-- What gold.occupancy_window must hold for windows of these lengths, but for revision and closed_at. It may hold more
-- rows, all of zeros: a row is never deleted.
CREATE FUNCTION ops.expected_windows(p_minutes integer[]) RETURNS TABLE (
    facility_id text, sector_id text, window_minutes integer, window_start timestamptz,
    arrivals integer, transfers_in integer, transfers_out integer, treatment_starts integer, departures integer,
    left_without_being_seen integer, census_start integer, census_end integer, census_max integer,
    census_mean double precision, waiting_end integer, waiting_max integer, in_treatment_end integer,
    boarding_end integer, wait_mean_minutes double precision, wait_p50_minutes double precision,
    wait_p90_minutes double precision, longest_current_wait_minutes double precision, capacity integer,
    occupancy_rate double precision, four_hour_share double precision
) LANGUAGE sql STABLE ROWS 1000000
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '48MB' AS $$
    WITH capacity AS (
        SELECT c.facility_id, c.sector_id, c.capacity, c.valid_from,
            lead(c.valid_from, 1, 'infinity') OVER (PARTITION BY c.facility_id, c.sector_id ORDER BY c.valid_from)
                AS valid_to
        FROM silver.sector_capacity AS c
    ),
    expected AS (
        SELECT w.*, timestamptz 'epoch' + w.start_ms / 60000 * interval '1 minute' AS window_start
        FROM ops.flow_window(p_minutes, false) AS w
    )
    SELECT e.facility_id, e.sector_id, e.window_minutes, e.window_start, e.arrivals, e.transfers_in, e.transfers_out,
        e.treatment_starts, e.departures, e.left_without_being_seen, e.census_start, e.census_end, e.census_max,
        e.census_mean, e.waiting_end, e.waiting_max, e.in_treatment_end, e.boarding_end, e.wait_mean_minutes,
        e.wait_p50_minutes, e.wait_p90_minutes, e.longest_current_wait_minutes, c.capacity,
        e.census_mean / nullif(c.capacity, 0)::double precision, e.four_hour_share
    FROM expected AS e
    LEFT JOIN capacity AS c ON c.facility_id = e.facility_id AND c.sector_id = e.sector_id
        AND c.valid_from <= e.window_start AND e.window_start < c.valid_to
$$;

-- The revisions that windows of these lengths must have; those of which none is named have 0.
CREATE FUNCTION ops.expected_revisions(p_minutes integer[]) RETURNS TABLE (
    facility_id text, sector_id text, window_minutes integer, window_start timestamptz, revision integer
) LANGUAGE sql STABLE ROWS 10000
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '48MB' AS $$
    WITH picture AS MATERIALIZED (
        SELECT w.fold / 2 AS event, w.fold % 2 = 1 AS is_after, w.*
        FROM ops.flow_window(p_minutes, true) AS w
    )
    SELECT k.facility_id, k.sector_id, k.window_minutes,
        timestamptz 'epoch' + k.start_ms / 60000 * interval '1 minute', count(*)::integer
    FROM (
        -- A picture that was there before and is the same after stands twice in one group.
        SELECT p.event, p.facility_id, p.sector_id, p.window_minutes, p.start_ms
        FROM picture AS p
        GROUP BY p.event, p.facility_id, p.sector_id, p.window_minutes, p.start_ms
        HAVING count(*) = 1 OR count(DISTINCT (
            p.arrivals, p.transfers_in, p.transfers_out, p.treatment_starts, p.departures, p.left_without_being_seen,
            p.census_start, p.census_end, p.census_max, p.census_mean, p.waiting_end, p.waiting_max,
            p.in_treatment_end, p.boarding_end, p.wait_mean_minutes, p.wait_p50_minutes, p.wait_p90_minutes,
            p.longest_current_wait_minutes, p.four_hour_share)) > 1
    ) AS k
    GROUP BY k.facility_id, k.sector_id, k.window_minutes, k.start_ms
$$;

-- Comparing -----------------------------------------------------------------------------------------------------

-- Which columns of two rows differ, by name.
CREATE FUNCTION ops.differing_columns(p_expected jsonb, p_stored jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(e.key, ', ' ORDER BY e.key)
    FROM jsonb_each(p_expected) AS e
    WHERE e.value IS DISTINCT FROM p_stored -> e.key
$$;

-- Visits that are not as their events make them; none when all is well. A visit is named by a hash: its id is about a
-- patient.
CREATE FUNCTION ops.visit_differences() RETURNS TABLE (facility_id text, visit_hash text, difference text)
LANGUAGE sql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '48MB' AS $$
    WITH stored AS (
        SELECT v.facility_id, v.visit_id, v.sector_id, v.patient_id, v.acuity, v.impossible, v.revision, v.arrival_at,
            v.triage_at, v.treatment_start_at, v.departure_at, v.last_event_at, v.present_until, v.wait_minutes,
            v.disposition
        FROM silver.patient_visit AS v
    )
    SELECT coalesce(e.facility_id, s.facility_id), left(md5(coalesce(e.visit_id, s.visit_id)), 12),
        CASE
            WHEN s.visit_id IS NULL THEN 'missing'
            WHEN e.visit_id IS NULL THEN 'without an event'
            ELSE ops.differing_columns(to_jsonb(e), to_jsonb(s))
        END
    FROM ops.expected_visits() AS e
    FULL JOIN stored AS s ON s.facility_id = e.facility_id AND s.visit_id = e.visit_id
    WHERE e IS DISTINCT FROM s
$$;

-- Windows of these lengths that are not as the events make them; none when all is well.
CREATE FUNCTION ops.window_differences(p_minutes integer[]) RETURNS TABLE (
    facility_id text, sector_id text, window_minutes integer, window_start timestamptz, difference text
) LANGUAGE sql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '48MB' AS $$
    WITH stored AS (
        SELECT w.facility_id, w.sector_id, w.window_minutes, w.window_start, w.arrivals, w.transfers_in,
            w.transfers_out, w.treatment_starts, w.departures, w.left_without_being_seen, w.census_start,
            w.census_end, w.census_max, w.census_mean, w.waiting_end, w.waiting_max, w.in_treatment_end,
            w.boarding_end, w.wait_mean_minutes, w.wait_p50_minutes, w.wait_p90_minutes,
            w.longest_current_wait_minutes, w.capacity, w.occupancy_rate, w.four_hour_share
        FROM gold.occupancy_window AS w
        WHERE w.window_minutes = ANY (p_minutes)
    )
    SELECT coalesce(e.facility_id, s.facility_id), coalesce(e.sector_id, s.sector_id),
        coalesce(e.window_minutes, s.window_minutes), coalesce(e.window_start, s.window_start),
        CASE
            WHEN s.facility_id IS NULL THEN 'missing'
            WHEN e.facility_id IS NULL THEN 'not zero, though nothing makes it'
            ELSE ops.differing_columns(to_jsonb(e), to_jsonb(s))
        END
    FROM ops.expected_windows(p_minutes) AS e
    FULL JOIN stored AS s ON s.facility_id = e.facility_id AND s.sector_id = e.sector_id
        AND s.window_minutes = e.window_minutes AND s.window_start = e.window_start
    WHERE CASE
        WHEN e.facility_id IS NOT NULL THEN e IS DISTINCT FROM s
        -- What a late event left of a window stays, with nothing in it but whom 60 days of silence ended at its start.
        ELSE (s.arrivals, s.transfers_in, s.transfers_out, s.treatment_starts, s.departures,
                s.left_without_being_seen, s.census_end, s.census_max, s.census_mean, s.waiting_end, s.waiting_max,
                s.in_treatment_end, s.boarding_end)
                IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0, 0, 0::double precision, 0, 0, 0, 0)
            OR num_nonnulls(s.wait_mean_minutes, s.wait_p50_minutes, s.wait_p90_minutes,
                s.longest_current_wait_minutes, s.four_hour_share) > 0
    END
$$;

-- Facilities whose log order the stored events do not tell: they came from several partitions, or their partition was
-- read by two groups that both stored something, was jumped back in, or had a dead letter retried.
CREATE FUNCTION ops.unordered_facilities(p_topic text) RETURNS TABLE (facility_id text)
LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    WITH disturbed AS (
        SELECT p.partition
        FROM ops.partition_progress AS p
        WHERE p.topic = p_topic
        GROUP BY p.partition
        HAVING count(*) FILTER (WHERE p.inserted > 0) > 1 OR min(p.gaps) < 0
        UNION
        SELECT r.partition FROM ops.dead_letter_retry AS r WHERE r.topic = p_topic
    )
    SELECT e.facility_id
    FROM (SELECT f.facility_id, f.source_partition FROM silver.patient_flow_event AS f GROUP BY 1, 2) AS e
    LEFT JOIN disturbed AS d ON d.partition = e.source_partition
    GROUP BY e.facility_id
    HAVING count(*) > 1 OR count(d.partition) > 0
$$;

-- Windows of these lengths whose revision is not the number of late events that changed them; none when all is well.
CREATE FUNCTION ops.revision_differences(p_minutes integer[], p_topic text) RETURNS TABLE (
    facility_id text, sector_id text, window_minutes integer, window_start timestamptz, expected integer,
    stored integer
) LANGUAGE sql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '48MB' AS $$
    SELECT w.facility_id, w.sector_id, w.window_minutes, w.window_start, coalesce(e.revision, 0), w.revision
    FROM gold.occupancy_window AS w
    LEFT JOIN ops.expected_revisions(p_minutes) AS e ON e.facility_id = w.facility_id AND e.sector_id = w.sector_id
        AND e.window_minutes = w.window_minutes AND e.window_start = w.window_start
    WHERE w.window_minutes = ANY (p_minutes)
        AND w.revision <> coalesce(e.revision, 0)
        AND w.facility_id NOT IN (SELECT u.facility_id FROM ops.unordered_facilities(p_topic) AS u)
$$;

-- Rights --------------------------------------------------------------------------------------------------------

GRANT EXECUTE ON FUNCTION
    ops.expected_visits(),
    ops.expected_windows(integer[]),
    ops.expected_revisions(integer[]),
    ops.differing_columns(jsonb, jsonb),
    ops.visit_differences(),
    ops.window_differences(integer[]),
    ops.unordered_facilities(text),
    ops.revision_differences(integer[], text)
TO vitalstream_service, vitalstream_analyst;
