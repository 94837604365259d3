-- Pulse pressure (systolic less diastolic) and shock index (heart rate / systolic) per patient, highest index first.
--
--   shock_index  lowest mean index shown   default 0.9; 0 shows everybody
--   patient      one patient's id, or all  default all
--   hours        how far to look back      default 1
--   rows         at most so many patients, or all  default 50
--   zone, until, explain: ../psql
--
-- Above 0.9 is the usual mark: Kamikawa, Hayashi, BMC Emergency Medicine 20 (2020), Background,
-- https://doi.org/10.1186/s12873-020-00383-2, read 2026-11-21. Each index is of one reading with both its values; a
-- systolic pressure of 0 has none. The BRIN index of the days gives the hour.
\if :{?shock_index} \set p_shock_index :shock_index \else \set p_shock_index 0.9 \endif
\if :{?hours} \set p_hours :hours \else \set p_hours 1 \endif
\if :{?rows} \set p_rows :rows \else \set p_rows 50 \endif
\set p_span :p_hours ' hours'
\set p_patient_default all
\ir ../psql/begin.sql
\ir ../psql/window.sql
\ir ../psql/patient.sql
:declare_answer
SELECT
    r.patient_id,
    count(r.heart_rate / nullif(r.systolic_pressure, 0)) AS readings,
    round(avg(r.heart_rate / nullif(r.systolic_pressure, 0))::numeric, 2) AS mean_shock_index,
    round(max(r.heart_rate / nullif(r.systolic_pressure, 0))::numeric, 2) AS highest_shock_index,
    round(avg(r.systolic_pressure - r.diastolic_pressure)::numeric, 1) AS mean_pulse_pressure,
    round(min(r.systolic_pressure - r.diastolic_pressure)::numeric, 1) AS lowest_pulse_pressure
FROM silver.vital_reading AS r
WHERE r.systolic_pressure IS NOT NULL AND :of_patient AND :in_window
GROUP BY r.patient_id
HAVING avg(r.heart_rate / nullif(r.systolic_pressure, 0)) >= :'p_shock_index'::float8
ORDER BY avg(r.heart_rate / nullif(r.systolic_pressure, 0)) DESC, r.patient_id
LIMIT nullif(:'p_rows', 'all')::bigint;
\set p_title 'Mean shock index of at least ' :p_shock_index ', ' :p_whom ', ' :p_time ', at most ' :p_rows
\set p_none 'No mean shock index of at least ' :p_shock_index ' of ' :p_whom ', ' :p_time '.'
\ir ../psql/end.sql
