-- Means per day with the number of values behind each.
--
--   days     how far to look back; the first and last day are cut where that begins and ends  default 7
--   patient  one patient's id, or all                              default the first of the time asked for
--   zone, until, explain: ../psql
--
-- One patient: through the primary keys of the days. All patients: every reading of those days is read, 10 million take
-- several seconds, and no index can help since all of them count; ask for that with -v patient=all.
\if :{?days} \set p_days :days \else \set p_days 7 \endif
\set p_span :p_days ' days'
\set p_patient_default first
\ir ../psql/begin.sql
\ir ../psql/window.sql
\ir ../psql/patient.sql
:declare_answer
SELECT
    date_trunc('day', r.recorded_at, :'p_zone')::date AS day,
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
WHERE :of_patient
    AND r.recorded_at >= :'p_from'::timestamptz AND r.recorded_at < :'p_until'::timestamptz
GROUP BY 1
ORDER BY 1;
\set p_title 'Daily means of ' :p_whom ', ' :p_time
\set p_none 'No reading of ' :p_whom ' from ' :p_time '.'
\ir ../psql/end.sql
