-- Patients who were seen in the last hours and then fell silent, longest first: gone, or a monitor that fell off.
--
--   minutes  silent for at least     default 15
--   hours    how far to look back    default 24
--   rows     at most so many, or all  default 50
--   zone, until, explain: ../psql
--
-- The last reading of each patient is found by a walk through the primary keys, as in last_readings.sql.
\if :{?hours} \set p_hours :hours \else \set p_hours 24 \endif
\if :{?minutes} \set p_minutes :minutes \else \set p_minutes 15 \endif
\if :{?rows} \set p_rows :rows \else \set p_rows 50 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
WITH RECURSIVE last_reading AS (
    (
        SELECT r.patient_id, r.recorded_at, r.origin_id
        FROM silver.vital_reading AS r
        WHERE r.recorded_at >= :'p_from'::timestamptz AND r.recorded_at < :'p_until'::timestamptz
        ORDER BY r.patient_id DESC, r.recorded_at DESC
        LIMIT 1
    )
    UNION ALL
    SELECT n.*
    FROM last_reading AS l
    CROSS JOIN LATERAL (
        SELECT r.patient_id, r.recorded_at, r.origin_id
        FROM silver.vital_reading AS r
        WHERE r.patient_id < l.patient_id
            AND r.recorded_at >= :'p_from'::timestamptz AND r.recorded_at < :'p_until'::timestamptz
        ORDER BY r.patient_id DESC, r.recorded_at DESC
        LIMIT 1
    ) AS n
)
SELECT
    l.patient_id,
    l.recorded_at AS last_at,
    round(extract(epoch FROM :'p_until'::timestamptz - l.recorded_at) / 60, 1) AS silent_minutes,
    o.facility_id,
    o.sector_id,
    o.device_id
FROM last_reading AS l
LEFT JOIN silver.origin AS o USING (origin_id)
WHERE l.recorded_at <= :'p_until'::timestamptz - :'p_minutes'::float8 * interval '1 minute'
ORDER BY l.recorded_at, l.patient_id
LIMIT nullif(:'p_rows', 'all')::bigint;
\set p_title 'Silent for at least ' :p_minutes ' minutes, ' :p_time ', at most ' :p_rows ' patients'
\set p_none 'Nobody was silent for ' :p_minutes ' minutes at the end of ' :p_time '.'
\ir ../psql/end.sql
