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
-- The BRIN index of the days gives the hours asked for, of which only fevers are kept; whether another value lies
-- between two of them is asked through the primary key. So the time grows with their number, and a limit that most
-- values meet takes seconds.
\if :{?at_least} \set p_limit :at_least \else \set p_limit 38.1 \endif
\if :{?minutes} \set p_minutes :minutes \else \set p_minutes 60 \endif
\if :{?gap_minutes} \set p_gap_minutes :gap_minutes \else \set p_gap_minutes 120 \endif
\if :{?hours} \set p_hours :hours \else \set p_hours 6 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
WITH fever AS (
    SELECT
        r.patient_id,
        r.recorded_at,
        r.temperature AS value,
        lag(r.recorded_at) OVER (PARTITION BY r.patient_id ORDER BY r.recorded_at) AS previous_at
    FROM silver.vital_reading AS r
    WHERE r.temperature >= :'p_limit'::real AND :in_window
),
run AS (
    SELECT
        f.*,
        count(*) FILTER (
            WHERE f.previous_at IS NULL
                OR f.recorded_at - f.previous_at > :'p_gap_minutes'::float8 * interval '1 minute'
                OR EXISTS (
                    SELECT
                    FROM silver.vital_reading AS between_them
                    WHERE between_them.patient_id = f.patient_id
                        AND between_them.recorded_at >= :'p_from'::timestamptz
                        AND between_them.recorded_at < :'p_until'::timestamptz
                        AND between_them.recorded_at > f.previous_at AND between_them.recorded_at < f.recorded_at
                        AND between_them.temperature < :'p_limit'::real
                )
        ) OVER (PARTITION BY f.patient_id ORDER BY f.recorded_at) AS number
    FROM fever AS f
)
SELECT
    u.patient_id,
    min(u.recorded_at) AS first_at,
    max(u.recorded_at) AS last_at,
    round(extract(epoch FROM max(u.recorded_at) - min(u.recorded_at)) / 60, 1) AS minutes,
    count(*) AS readings,
    max(u.value) AS highest,
    round(avg(u.value)::numeric, 2) AS mean
FROM run AS u
GROUP BY u.patient_id, u.number
HAVING max(u.recorded_at) - min(u.recorded_at) >= :'p_minutes'::float8 * interval '1 minute'
ORDER BY max(u.recorded_at) - min(u.recorded_at) DESC, u.patient_id, first_at;
\set p_title 'Temperature at least ' :p_limit ' for at least ' :p_minutes ' minutes, ' :p_time
\set p_none 'Nobody stayed at or above ' :p_limit ' for ' :p_minutes ' minutes, ' :p_time '.'
\ir ../psql/end.sql
