-- The last reading of each patient who was seen in the last hours, by patient.
--
--   hours  how far to look back              default 24
--   rows   at most so many patients, or all  default 50
--   zone, until, explain: ../psql
--
-- Each step of the recursion takes the greatest (patient_id, recorded_at) below the patient before: one probe of the
-- primary key in each day of the time asked for, instead of reading all its readings to keep one in a hundred.
\if :{?hours} \set p_hours :hours \else \set p_hours 24 \endif
\if :{?rows} \set p_rows :rows \else \set p_rows 50 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
WITH RECURSIVE last_reading AS (
    (
        SELECT r.*
        FROM silver.vital_reading AS r
        WHERE r.recorded_at >= :'p_from'::timestamptz AND r.recorded_at < :'p_until'::timestamptz
        ORDER BY r.patient_id DESC, r.recorded_at DESC
        LIMIT 1
    )
    UNION ALL
    SELECT n.*
    FROM last_reading AS l
    CROSS JOIN LATERAL (
        SELECT r.*
        FROM silver.vital_reading AS r
        WHERE r.patient_id < l.patient_id
            AND r.recorded_at >= :'p_from'::timestamptz AND r.recorded_at < :'p_until'::timestamptz
        ORDER BY r.patient_id DESC, r.recorded_at DESC
        LIMIT 1
    ) AS n
)
SELECT
    l.patient_id,
    l.recorded_at,
    l.heart_rate,
    l.temperature,
    l.oxygen_saturation,
    l.respiratory_rate,
    l.systolic_pressure,
    l.diastolic_pressure,
    l.consciousness,
    l.supplemental_oxygen,
    o.facility_id,
    o.sector_id,
    o.device_id
FROM last_reading AS l
LEFT JOIN silver.origin AS o USING (origin_id)
ORDER BY l.patient_id
LIMIT nullif(:'p_rows', 'all')::bigint;
\set p_title 'Last reading per patient, ' :p_time ', at most ' :p_rows ' patients'
\set p_none 'At most 0 patients were asked for.'
\ir ../psql/end.sql
