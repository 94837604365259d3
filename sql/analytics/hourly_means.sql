-- Means per hour with the number of values behind each.
--
--   hours    how far to look back; the first and last hour are cut where that begins and ends  default 6
--   patient  one patient's id, or all                                                          default all
--   zone, until, explain: ../psql
--
-- All patients: the BRIN index of the days gives the hours asked for, and the time grows with their readings (24 hours
-- of 70,000 are four times the default's six and take more than a second). One patient: through the primary key.
\if :{?hours} \set p_hours :hours \else \set p_hours 6 \endif
\set p_span :p_hours ' hours'
\set p_patient_default all
\ir ../psql/begin.sql
\ir ../psql/window.sql
\ir ../psql/patient.sql
:declare_answer
SELECT
    date_trunc('hour', r.recorded_at, :'p_zone') AS hour,
    count(*) AS readings,
    round(avg(r.heart_rate)::numeric, 1) AS heart_rate,
    count(r.heart_rate) AS heart_rates,
    round(avg(r.temperature)::numeric, 2) AS temperature,
    count(r.temperature) AS temperatures,
    round(avg(r.oxygen_saturation)::numeric, 1) AS oxygen_saturation,
    count(r.oxygen_saturation) AS oxygen_saturations,
    round(avg(r.respiratory_rate)::numeric, 1) AS respiratory_rate,
    count(r.respiratory_rate) AS respiratory_rates,
    round(avg(r.systolic_pressure)::numeric, 1) AS systolic_pressure,
    count(r.systolic_pressure) AS systolic_pressures,
    round(avg(r.diastolic_pressure)::numeric, 1) AS diastolic_pressure,
    count(r.diastolic_pressure) AS diastolic_pressures
FROM silver.vital_reading AS r
WHERE :of_patient AND :in_window
GROUP BY 1
ORDER BY 1;
\set p_title 'Hourly means of ' :p_whom ', ' :p_time
\set p_none 'No reading of ' :p_whom ' from ' :p_time '.'
\ir ../psql/end.sql
