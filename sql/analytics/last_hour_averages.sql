-- The averages of the last hour per patient, by the query that users of health_records have always run, to the letter.
--
-- Takes no time or patient: it is that query. On 10 million readings it reads the last hour through the BRIN index that
-- each daily partition has on the view's milliseconds; a condition on milliseconds leaves no partition out by its
-- bounds, so each day costs two pages and its share of the planning.
\ir ../psql/begin.sql
:declare_answer
SELECT patient_id, AVG(heart_rate) as avg_heart_rate, AVG(temperature) as avg_temperature,
       AVG(oxygen_saturation) as avg_oxygen, COUNT(*) as total_readings
FROM health_records
WHERE timestamp >= extract(epoch from now() - interval '1 hour') * 1000
GROUP BY patient_id;
\set p_title 'Averages per patient over the last hour'
\set p_none 'No reading is from the last hour; lag.sql says whether the service writes.'
\ir ../psql/end.sql
