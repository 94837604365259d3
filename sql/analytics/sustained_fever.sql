-- Patients whose fever stayed: each run of successive temperatures at or above a limit.
--
--   at_least     lowest temperature that counts as fever, degrees C      default 38.1
--   minutes      the run's first and last such value are at least so far apart  default 60
--   gap_minutes  a longer silence between two values ends a run          default 120
--   hours        how far to look back                                    default 6
--   zone, until, explain: ../psql
--
-- NEWS2 begins to score at 38.1: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, Chart 1,
-- ISBN 978-1-86016-682-2, read 2026-11-21. A reading without a temperature neither ends a run nor makes one. A run that
-- reaches over an edge of the time asked for is cut there.
--
-- The BRIN index of the days gives the hours asked for, which are sorted by patient in memory.
\if :{?at_least} \set p_limit :at_least \else \set p_limit 38.1 \endif
\if :{?minutes} \set p_minutes :minutes \else \set p_minutes 60 \endif
\if :{?gap_minutes} \set p_gap_minutes :gap_minutes \else \set p_gap_minutes 120 \endif
\if :{?hours} \set p_hours :hours \else \set p_hours 6 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
WITH series AS (
    SELECT
        r.patient_id,
        r.recorded_at,
        r.temperature AS value,
        lag(r.recorded_at) OVER one_patient AS previous_at,
        lag(r.temperature) OVER one_patient AS previous
    FROM silver.vital_reading AS r
    WHERE r.temperature IS NOT NULL AND :in_window
    WINDOW one_patient AS (PARTITION BY r.patient_id ORDER BY r.recorded_at)
),
fever AS (
    SELECT
        s.*,
        count(*) FILTER (
            WHERE s.previous IS NULL OR s.previous < :'p_limit'::real
                OR s.recorded_at - s.previous_at > :'p_gap_minutes'::float8 * interval '1 minute'
        ) OVER (PARTITION BY s.patient_id ORDER BY s.recorded_at) AS run
    FROM series AS s
    WHERE s.value >= :'p_limit'::real
)
SELECT
    f.patient_id,
    min(f.recorded_at) AS first_at,
    max(f.recorded_at) AS last_at,
    round(extract(epoch FROM max(f.recorded_at) - min(f.recorded_at)) / 60, 1) AS minutes,
    count(*) AS readings,
    max(f.value) AS highest,
    round(avg(f.value)::numeric, 2) AS mean
FROM fever AS f
GROUP BY f.patient_id, f.run
HAVING max(f.recorded_at) - min(f.recorded_at) >= :'p_minutes'::float8 * interval '1 minute'
ORDER BY max(f.recorded_at) - min(f.recorded_at) DESC, f.patient_id, first_at;
\set p_title 'Temperature at least ' :p_limit ' for at least ' :p_minutes ' minutes, ' :p_time
\set p_none 'Nobody stayed at or above ' :p_limit ' for ' :p_minutes ' minutes, ' :p_time '.'
\ir ../psql/end.sql
