-- Patient flow for people and dashboards: who is here now, how crowded it is, how the day went.
-- Never edit this file after a release; add the next number instead.
--
-- "Now" is the frontier of a facility, the newest event time it has reported, so that data of the past read as well as
-- today's. What each column means: docs/data-dictionary.md.

-- Now -----------------------------------------------------------------------------------------------------------

-- Everybody who is present. is_boarding as in docs/windows.md, but for this instant instead of a window's end.
CREATE VIEW gold.current_patient AS
SELECT
    v.facility_id,
    v.sector_id,
    v.visit_id,
    v.acuity,
    f.frontier AS at,
    v.arrival_at,
    greatest(v.arrival_at, v.treatment_start_at) AS treatment_start_at,
    v.treatment_start_at IS NULL AS is_waiting,
    date_part('epoch', f.frontier - v.arrival_at) / 60 AS present_minutes,
    CASE WHEN v.treatment_start_at IS NULL THEN date_part('epoch', f.frontier - v.arrival_at) / 60 END
        AS waited_minutes,
    v.treatment_start_at IS NOT NULL
        AND greatest(v.arrival_at, v.treatment_start_at) <= f.frontier - interval '240 minutes'
        AND NOT EXISTS (
            -- Elsewhere since the treatment began, or when it began.
            SELECT
            FROM silver.patient_flow_event AS e
            WHERE e.facility_id = v.facility_id AND e.visit_id = v.visit_id AND e.event <> 'cancelled'
                AND e.occurred_at > greatest(v.arrival_at, v.treatment_start_at)
                AND CASE WHEN e.event = 'transfer' THEN e.to_sector_id ELSE e.sector_id END <> v.sector_id
        )
        AND v.sector_id = (
            SELECT CASE WHEN e.event = 'transfer' THEN e.to_sector_id ELSE e.sector_id END
            FROM silver.patient_flow_event AS e
            WHERE e.facility_id = v.facility_id AND e.visit_id = v.visit_id AND e.event <> 'cancelled'
                AND e.occurred_at <= greatest(v.arrival_at, v.treatment_start_at)
            ORDER BY e.occurred_at DESC, e.event_id DESC
            LIMIT 1
        ) AS is_boarding
FROM gold.flow_state AS f
JOIN silver.patient_visit AS v
    ON v.facility_id = f.facility_id AND v.present_until > f.frontier AND v.arrival_at <= f.frontier;

-- One row a sector that had anything to report in the last 24 hours, with the newest prediction made there.
CREATE VIEW gold.flow_board AS
SELECT
    s.facility_id,
    s.sector_id,
    f.frontier AS at,
    coalesce(p.present, 0) AS present,
    coalesce(p.waiting, 0) AS waiting,
    coalesce(p.in_treatment, 0) AS in_treatment,
    coalesce(p.boarding, 0) AS boarding,
    p.longest_wait_minutes,
    s.arrivals_last_hour,
    s.treatment_starts_last_hour,
    s.departures_last_hour,
    c.capacity,
    coalesce(p.present, 0) / nullif(c.capacity, 0)::double precision AS occupancy_rate,
    w.prediction_ts AS predicted_at,
    w.predicted_minutes,
    w.lower90,
    w.upper90
FROM gold.flow_state AS f
CROSS JOIN LATERAL (
    SELECT
        o.facility_id,
        o.sector_id,
        coalesce(sum(o.arrivals) FILTER (WHERE o.window_start > f.frontier - interval '1 hour'), 0)
            AS arrivals_last_hour,
        coalesce(sum(o.treatment_starts) FILTER (WHERE o.window_start > f.frontier - interval '1 hour'), 0)
            AS treatment_starts_last_hour,
        coalesce(sum(o.departures + o.left_without_being_seen)
            FILTER (WHERE o.window_start > f.frontier - interval '1 hour'), 0) AS departures_last_hour
    FROM gold.occupancy_window AS o
    WHERE o.facility_id = f.facility_id
        AND o.window_minutes = (
            SELECT min(m.window_minutes) FROM gold.occupancy_window AS m WHERE m.facility_id = f.facility_id
        )
        AND o.window_start > f.frontier - interval '24 hours'
    GROUP BY o.facility_id, o.sector_id
) AS s
LEFT JOIN (
    SELECT
        n.facility_id,
        n.sector_id,
        count(*) AS present,
        count(*) FILTER (WHERE n.is_waiting) AS waiting,
        count(*) FILTER (WHERE NOT n.is_waiting) AS in_treatment,
        count(*) FILTER (WHERE n.is_boarding) AS boarding,
        max(n.waited_minutes) AS longest_wait_minutes
    FROM gold.current_patient AS n
    GROUP BY n.facility_id, n.sector_id
) AS p ON p.facility_id = s.facility_id AND p.sector_id = s.sector_id
LEFT JOIN LATERAL (
    SELECT a.capacity
    FROM silver.sector_capacity AS a
    WHERE a.facility_id = s.facility_id AND a.sector_id = s.sector_id AND a.valid_from <= f.frontier
    ORDER BY a.valid_from DESC
    LIMIT 1
) AS c ON true
LEFT JOIN LATERAL (
    SELECT q.prediction_ts, q.predicted_minutes, q.lower90, q.upper90
    FROM gold.wait_prediction AS q
    WHERE q.facility_id = s.facility_id AND q.sector_id = s.sector_id AND q.kind = 'arrival'
        AND q.prediction_ts > f.frontier - interval '4 hours' AND q.prediction_ts <= f.frontier
    ORDER BY q.prediction_ts DESC, q.visit_id
    LIMIT 1
) AS w ON true;

-- Who waits, with the newest prediction for that patient.
CREATE VIEW gold.longest_current_waits AS
SELECT
    n.facility_id,
    n.sector_id,
    n.visit_id,
    n.acuity,
    n.at,
    n.arrival_at,
    n.waited_minutes,
    w.prediction_ts AS predicted_at,
    w.predicted_minutes,
    w.lower90,
    w.upper90,
    rank() OVER (PARTITION BY n.facility_id ORDER BY n.arrival_at) AS place
FROM gold.current_patient AS n
LEFT JOIN LATERAL (
    SELECT q.prediction_ts, q.predicted_minutes, q.lower90, q.upper90
    FROM gold.wait_prediction AS q
    WHERE q.visit_id = n.visit_id AND q.facility_id = n.facility_id
    ORDER BY q.prediction_ts DESC, q.kind DESC
    LIMIT 1
) AS w ON true
WHERE n.is_waiting;

-- Crowding ------------------------------------------------------------------------------------------------------

-- The National Emergency Department Overcrowding Score: Weiss et al., Estimating the degree of emergency department
-- overcrowding in academic medical centers, Acad Emerg Med 2004;11:38-50. Not held to its scale of 0 to 200. Null when
-- anything is null or there are no beds. p_last_wait_hours is the wait of the patient who was given a bed last.
CREATE FUNCTION gold.nedocs(
    p_patients double precision, p_ed_beds double precision, p_boarders double precision,
    p_hospital_beds double precision, p_ventilated double precision, p_longest_boarding_hours double precision,
    p_last_wait_hours double precision
) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT -20 + 85.8 * p_patients / nullif(p_ed_beds, 0) + 600 * p_boarders / nullif(p_hospital_beds, 0)
        + 13.4 * p_ventilated + 0.93 * p_longest_boarding_hours + 5.64 * p_last_wait_hours
$$;

-- What a score is called.
CREATE FUNCTION gold.nedocs_level(p_score double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN p_score <= 20 THEN 'not busy'
        WHEN p_score <= 60 THEN 'busy'
        WHEN p_score <= 100 THEN 'extremely busy'
        WHEN p_score <= 140 THEN 'overcrowded'
        WHEN p_score <= 180 THEN 'severely overcrowded'
        WHEN p_score IS NOT NULL THEN 'dangerously overcrowded'
    END
$$;

-- NEDOCS of each sector that patients arrived at within 7 days: its beds are the sector's capacity, the hospital's are
-- those of all the facility's sectors. Nobody says who is ventilated, so none is: each lacks 13.4.
CREATE VIEW gold.crowding AS
SELECT
    k.*,
    gold.nedocs(k.present, k.beds, k.boarding, k.hospital_beds, 0, k.longest_boarding_hours, k.last_wait_hours)
        AS nedocs,
    gold.nedocs_level(
        gold.nedocs(k.present, k.beds, k.boarding, k.hospital_beds, 0, k.longest_boarding_hours, k.last_wait_hours)
    ) AS level
FROM (
    SELECT
        b.facility_id,
        b.sector_id,
        b.at,
        b.present,
        b.waiting,
        b.boarding,
        b.capacity AS beds,
        (
            SELECT sum(h.capacity)
            FROM (
                SELECT DISTINCT ON (a.sector_id) a.capacity
                FROM silver.sector_capacity AS a
                WHERE a.facility_id = b.facility_id AND a.valid_from <= b.at
                ORDER BY a.sector_id, a.valid_from DESC
            ) AS h
        ) AS hospital_beds,
        coalesce((
            SELECT max(date_part('epoch', n.at - n.treatment_start_at) / 3600 - 4)
            FROM gold.current_patient AS n
            WHERE n.facility_id = b.facility_id AND n.sector_id = b.sector_id AND n.is_boarding
        ), 0) AS longest_boarding_hours,
        coalesce((
            SELECT v.wait_minutes / 60
            FROM silver.patient_flow_event AS e
            JOIN silver.patient_visit AS v ON v.facility_id = e.facility_id AND v.visit_id = e.visit_id
            WHERE e.facility_id = b.facility_id AND e.sector_id = b.sector_id AND e.event = 'treatment_start'
                AND e.occurred_at > b.at - interval '7 days' AND v.wait_minutes IS NOT NULL
                AND v.disposition <> 'cancelled'
            ORDER BY e.occurred_at DESC, e.event_id DESC
            LIMIT 1
        ), 0) AS last_wait_hours
    FROM gold.flow_board AS b
    WHERE EXISTS (
        SELECT
        FROM gold.occupancy_window AS o
        WHERE o.facility_id = b.facility_id AND o.sector_id = b.sector_id AND o.arrivals > 0
            AND o.window_start > b.at - interval '7 days'
    )
) AS k;

-- Days and hours ------------------------------------------------------------------------------------------------

-- The windows of an hour, with the facility's own day and clock. Without 60 among WINDOW_MINUTES there are none.
CREATE VIEW gold.flow_by_hour AS
SELECT
    o.facility_id,
    o.sector_id,
    o.window_start,
    o.window_start AT TIME ZONE z.time_zone AS local_start,
    (o.window_start AT TIME ZONE z.time_zone)::date = (f.frontier AT TIME ZONE z.time_zone)::date AS is_today,
    o.arrivals,
    o.treatment_starts,
    o.departures,
    o.left_without_being_seen,
    o.census_mean,
    o.census_max,
    o.waiting_max,
    o.waiting_end,
    o.boarding_end,
    o.wait_mean_minutes,
    o.wait_p50_minutes,
    o.wait_p90_minutes,
    o.longest_current_wait_minutes,
    o.capacity,
    o.occupancy_rate,
    o.four_hour_share,
    o.revision,
    o.closed_at
FROM gold.occupancy_window AS o
JOIN gold.flow_state AS f ON f.facility_id = o.facility_id
LEFT JOIN silver.facility AS y ON y.facility_id = o.facility_id
CROSS JOIN LATERAL (SELECT coalesce(y.time_zone, 'UTC') AS time_zone) AS z
WHERE o.window_minutes = 60;

-- Who left on each of the facility's days, and how many of them within four hours of their arrival.
CREATE VIEW gold.four_hour_performance AS
SELECT
    v.facility_id,
    (v.present_until AT TIME ZONE coalesce(y.time_zone, 'UTC'))::date AS local_day,
    count(*) AS left_total,
    count(*) FILTER (WHERE v.present_until - v.arrival_at <= interval '240 minutes') AS within_four_hours,
    count(*) FILTER (WHERE v.present_until - v.arrival_at <= interval '240 minutes')::double precision / count(*)
        AS four_hour_share,
    count(*) FILTER (WHERE v.disposition = 'left_without_being_seen') AS left_without_being_seen,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY date_part('epoch', v.present_until - v.arrival_at)) / 60
        AS stay_p50_minutes,
    percentile_disc(0.9) WITHIN GROUP (ORDER BY date_part('epoch', v.present_until - v.arrival_at)) / 60
        AS stay_p90_minutes
FROM silver.patient_visit AS v
LEFT JOIN silver.facility AS y ON y.facility_id = v.facility_id
WHERE v.present_until IS NOT NULL AND v.departure_at IS NOT NULL
GROUP BY v.facility_id, local_day;

-- Rights --------------------------------------------------------------------------------------------------------

-- Views are granted by the defaults of 002.
GRANT EXECUTE ON FUNCTION
    gold.nedocs(double precision, double precision, double precision, double precision, double precision,
        double precision, double precision),
    gold.nedocs_level(double precision)
TO vitalstream_service, vitalstream_analyst;
