-- Values that a sensor can give but a patient hardly (column suspect), per vital sign and facility.
--
--   hours  how far to look back  default 6
--   zone, until, explain: ../psql
--
-- Bit n of suspect stands for vital n (docs/data-dictionary.md has the limits). The BRIN index of the days gives the
-- hours asked for.
\if :{?hours} \set p_hours :hours \else \set p_hours 6 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
SELECT
    v.vital,
    o.facility_id,
    count(*) AS suspect_values,
    count(DISTINCT r.patient_id) AS patients,
    count(DISTINCT r.origin_id) AS devices,
    min(v.value) AS lowest,
    max(v.value) AS highest,
    max(r.recorded_at) AS latest_at
FROM silver.vital_reading AS r
CROSS JOIN LATERAL (VALUES
    (0, 'heart_rate', r.heart_rate),
    (1, 'temperature', r.temperature),
    (2, 'oxygen_saturation', r.oxygen_saturation),
    (3, 'respiratory_rate', r.respiratory_rate),
    (4, 'systolic_pressure', r.systolic_pressure),
    (5, 'diastolic_pressure', r.diastolic_pressure)
) AS v (bit, vital, value)
LEFT JOIN silver.origin AS o USING (origin_id)
WHERE r.suspect <> 0 AND r.suspect & (1 << v.bit) <> 0 AND :in_window
GROUP BY v.bit, v.vital, o.facility_id
ORDER BY v.bit, o.facility_id;
\set p_title 'Suspect values, ' :p_time
\set p_none 'No value from ' :p_time ' is suspect.'
\ir ../psql/end.sql
