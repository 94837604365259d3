-- Corrections by device and hour: how often a later message replaced a stored value, and of which vital sign.
--
--   hours  how far to look back, by the reading's time  default 24
--   zone, until, explain: ../psql
--
-- A correction has the time of the reading it changed; when it came is not stored. History has no index by time: it is
-- read whole, being one row per correction (50,000 in some tens of milliseconds); readings are found by their key.
\if :{?hours} \set p_hours :hours \else \set p_hours 24 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
SELECT
    date_trunc('hour', h.recorded_at, :'p_zone') AS hour,
    o.facility_id,
    o.sector_id,
    o.device_id,
    count(*) AS corrections,
    count(DISTINCT h.patient_id) AS patients,
    count(h.heart_rate) AS heart_rate,
    count(h.temperature) AS temperature,
    count(h.oxygen_saturation) AS oxygen_saturation,
    count(h.respiratory_rate) AS respiratory_rate,
    count(h.systolic_pressure) AS systolic_pressure,
    count(h.diastolic_pressure) AS diastolic_pressure,
    count(h.consciousness) AS consciousness,
    count(h.supplemental_oxygen) AS supplemental_oxygen
FROM silver.vital_reading_history AS h
-- LATERAL with a LIMIT: else the server would rather read whole days than look each reading up.
LEFT JOIN LATERAL (
    SELECT r.origin_id
    FROM silver.vital_reading AS r
    WHERE r.patient_id = h.patient_id AND r.recorded_at = h.recorded_at
    LIMIT 1
) AS r ON true
LEFT JOIN silver.origin AS o USING (origin_id)
WHERE h.recorded_at >= :'p_from'::timestamptz AND h.recorded_at < :'p_until'::timestamptz
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4;
\set p_title 'Corrections by device and hour, ' :p_time
\set p_none 'No reading from ' :p_time ' was corrected.'
\ir ../psql/end.sql
