-- The steepest changes of a vital sign between two successive values of a patient, per minute.
--
--   vital    a column: heart_rate, temperature, oxygen_saturation, respiratory_rate, systolic_pressure,
--            diastolic_pressure                                               default heart_rate
--   patient  one patient's id, or all                                         default all
--   seconds  pairs at least so far apart; closer ones are mostly noise        default 10
--   hours    how far to look back                                             default 1
--   rows     at most so many, or all                                          default 20
--   zone, until, explain: ../psql
--
-- The BRIN index of the days gives the hour, which is then sorted by patient in memory.
\if :{?hours} \set p_hours :hours \else \set p_hours 1 \endif
\if :{?vital} \set p_vital :vital \else \set p_vital heart_rate \endif
\if :{?seconds} \set p_seconds :seconds \else \set p_seconds 10 \endif
\if :{?rows} \set p_rows :rows \else \set p_rows 20 \endif
\set p_span :p_hours ' hours'
\set p_patient_default all
\ir ../psql/begin.sql
\ir ../psql/window.sql
\ir ../psql/patient.sql
:declare_answer
WITH series AS (
    SELECT
        r.patient_id,
        lag(r.recorded_at) OVER one_patient AS from_at,
        r.recorded_at AS to_at,
        lag(r.:"p_vital"::numeric) OVER one_patient AS from_value,
        r.:"p_vital"::numeric AS to_value
    FROM silver.vital_reading AS r
    WHERE r.:"p_vital" IS NOT NULL AND :of_patient AND :in_window
    WINDOW one_patient AS (PARTITION BY r.patient_id ORDER BY r.recorded_at)
)
SELECT
    s.patient_id,
    s.from_at,
    s.to_at,
    s.from_value,
    s.to_value,
    round((s.to_value - s.from_value) * 60 / extract(epoch FROM s.to_at - s.from_at), 2) AS change_per_minute
FROM series AS s
WHERE s.to_value <> s.from_value AND s.to_at - s.from_at >= :'p_seconds'::float8 * interval '1 second'
ORDER BY abs((s.to_value - s.from_value) / extract(epoch FROM s.to_at - s.from_at)) DESC, s.patient_id, s.to_at
LIMIT nullif(:'p_rows', 'all')::bigint;
\set p_title 'Steepest changes of ' :p_vital ' per minute, ' :p_whom ', ' :p_time ', at most ' :p_rows
\set p_none 'No two successive values of ' :p_vital ' of ' :p_whom ' differ, ' :p_time '.'
\ir ../psql/end.sql
