-- One patient's readings, newest first.
--
--   patient  whose             default the first of the time asked for
--   hours    how far to look back  default 6
--   rows     at most so many readings, or all  default 50
--   zone, until, explain: ../psql
--
-- Read through the primary keys of the days asked for.
\if :{?hours} \set p_hours :hours \else \set p_hours 6 \endif
\if :{?rows} \set p_rows :rows \else \set p_rows 50 \endif
\set p_span :p_hours ' hours'
\set p_patient_default first
\ir ../psql/begin.sql
\ir ../psql/window.sql
\ir ../psql/patient.sql
:declare_answer
SELECT
    r.recorded_at,
    r.heart_rate,
    r.temperature,
    r.oxygen_saturation,
    r.respiratory_rate,
    r.systolic_pressure,
    r.diastolic_pressure,
    r.consciousness,
    r.supplemental_oxygen,
    r.suspect,
    o.facility_id,
    o.sector_id,
    o.device_id
FROM silver.vital_reading AS r
LEFT JOIN silver.origin AS o USING (origin_id)
WHERE :of_patient
    AND r.recorded_at >= :'p_from'::timestamptz AND r.recorded_at < :'p_until'::timestamptz
ORDER BY r.recorded_at DESC
LIMIT nullif(:'p_rows', 'all')::bigint;
\set p_title 'Readings of ' :p_whom ', ' :p_time ', at most ' :p_rows
\set p_none 'No reading of ' :p_whom ' from ' :p_time '.'
\ir ../psql/end.sql
