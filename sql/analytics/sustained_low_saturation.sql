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
-- The BRIN index of the days gives the hours asked for, which are sorted by patient in memory.
\if :{?at_most} \set p_limit :at_most \else \set p_limit 91 \endif
\if :{?minutes} \set p_minutes :minutes \else \set p_minutes 10 \endif
\if :{?gap_minutes} \set p_gap_minutes :gap_minutes \else \set p_gap_minutes 30 \endif
\if :{?hours} \set p_hours :hours \else \set p_hours 6 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
WITH series AS (
    SELECT
        r.patient_id,
        r.recorded_at,
        r.oxygen_saturation AS value,
        lag(r.recorded_at) OVER one_patient AS previous_at,
        lag(r.oxygen_saturation) OVER one_patient AS previous
    FROM silver.vital_reading AS r
    WHERE r.oxygen_saturation IS NOT NULL AND :in_window
    WINDOW one_patient AS (PARTITION BY r.patient_id ORDER BY r.recorded_at)
),
low AS (
    SELECT
        s.*,
        count(*) FILTER (
            WHERE s.previous IS NULL OR s.previous > :'p_limit'::real
                OR s.recorded_at - s.previous_at > :'p_gap_minutes'::float8 * interval '1 minute'
        ) OVER (PARTITION BY s.patient_id ORDER BY s.recorded_at) AS run
    FROM series AS s
    WHERE s.value <= :'p_limit'::real
)
SELECT
    l.patient_id,
    min(l.recorded_at) AS first_low,
    max(l.recorded_at) AS last_low,
    round(extract(epoch FROM max(l.recorded_at) - min(l.recorded_at)) / 60, 1) AS minutes,
    count(*) AS readings,
    min(l.value) AS lowest,
    round(avg(l.value)::numeric, 1) AS mean
FROM low AS l
GROUP BY l.patient_id, l.run
HAVING max(l.recorded_at) - min(l.recorded_at) >= :'p_minutes'::float8 * interval '1 minute'
ORDER BY max(l.recorded_at) - min(l.recorded_at) DESC, l.patient_id, first_low;
\set p_title 'Saturation at most ' :p_limit ' % for at least ' :p_minutes ' minutes, ' :p_time
\set p_none 'Nobody stayed at or below ' :p_limit ' % for ' :p_minutes ' minutes, ' :p_time '.'
\ir ../psql/end.sql
