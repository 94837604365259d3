-- Patients whose oxygen saturation stayed low: each run of successive values at or below a limit.
--
--   at_most      highest saturation that counts as low, %               default 91
--   minutes      the run's first and last low value are at least so far apart  default 10
--   gap_minutes  a longer silence between two values ends a run         default 30
--   hours        how far to look back                                   default 6
--   zone, until, explain: ../psql
--
-- 91 % or less scores 3, the most, in NEWS2 on scale 1: Royal College of Physicians, National Early Warning Score
-- (NEWS) 2, 2017, Chart 1, ISBN 978-1-86016-682-2, read 2026-11-21. A reading without a saturation neither ends a run
-- nor makes one. A run that reaches over an edge of the time asked for is cut there.
--
-- The BRIN index of the days gives the hours asked for, of which only low values are kept; whether another value lies
-- between two of them is asked through the primary key. So the time grows with their number, and a limit that most
-- values meet takes seconds.
\if :{?at_most} \set p_limit :at_most \else \set p_limit 91 \endif
\if :{?minutes} \set p_minutes :minutes \else \set p_minutes 10 \endif
\if :{?gap_minutes} \set p_gap_minutes :gap_minutes \else \set p_gap_minutes 30 \endif
\if :{?hours} \set p_hours :hours \else \set p_hours 6 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
WITH low AS (
    SELECT
        r.patient_id,
        r.recorded_at,
        r.oxygen_saturation AS value,
        lag(r.recorded_at) OVER (PARTITION BY r.patient_id ORDER BY r.recorded_at) AS previous_at
    FROM silver.vital_reading AS r
    WHERE r.oxygen_saturation <= :'p_limit'::real AND :in_window
),
run AS (
    SELECT
        l.*,
        count(*) FILTER (
            WHERE l.previous_at IS NULL
                OR l.recorded_at - l.previous_at > :'p_gap_minutes'::float8 * interval '1 minute'
                OR EXISTS (
                    SELECT
                    FROM silver.vital_reading AS between_them
                    WHERE between_them.patient_id = l.patient_id
                        AND between_them.recorded_at >= :'p_from'::timestamptz
                        AND between_them.recorded_at < :'p_until'::timestamptz
                        AND between_them.recorded_at > l.previous_at AND between_them.recorded_at < l.recorded_at
                        AND between_them.oxygen_saturation > :'p_limit'::real
                )
        ) OVER (PARTITION BY l.patient_id ORDER BY l.recorded_at) AS number
    FROM low AS l
)
SELECT
    u.patient_id,
    min(u.recorded_at) AS first_low,
    max(u.recorded_at) AS last_low,
    round(extract(epoch FROM max(u.recorded_at) - min(u.recorded_at)) / 60, 1) AS minutes,
    count(*) AS readings,
    min(u.value) AS lowest,
    round(avg(u.value)::numeric, 1) AS mean
FROM run AS u
GROUP BY u.patient_id, u.number
HAVING max(u.recorded_at) - min(u.recorded_at) >= :'p_minutes'::float8 * interval '1 minute'
ORDER BY max(u.recorded_at) - min(u.recorded_at) DESC, u.patient_id, first_low;
\set p_title 'Saturation at most ' :p_limit ' % for at least ' :p_minutes ' minutes, ' :p_time
\set p_none 'Nobody stayed at or below ' :p_limit ' % for ' :p_minutes ' minutes, ' :p_time '.'
\ir ../psql/end.sql
