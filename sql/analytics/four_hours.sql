-- Who left on each day, how many of them within four hours of their arrival, and how long they stayed.
--
--   facility  one facility only                default all
--   days  how many of the newest days      default 14
--   zone, explain: ../psql
--
-- Days are the facility's own (silver.facility). Cancelled visits are left out, and who left unseen counts. All
-- visits are read.
\if :{?facility}
    \set of_facility 't.facility_id = :''facility'''
    \set p_none 'Nobody has left yet in facility ' :facility '.'
\else
    \set of_facility true
    \set p_none 'Nobody has left yet.'
\endif
\if :{?days} \set p_days :days \else \set p_days 14 \endif
\ir ../psql/begin.sql
:declare_answer
SELECT
    t.facility_id,
    t.local_day,
    t.left_total AS gone,
    t.within_four_hours AS within,
    round(t.four_hour_share::numeric, 3) AS share,
    t.left_without_being_seen AS unseen,
    round(t.stay_p50_minutes::numeric, 1) AS stay_p50,
    round(t.stay_p90_minutes::numeric, 1) AS stay_p90
FROM (
    SELECT d.*, rank() OVER (PARTITION BY d.facility_id ORDER BY d.local_day DESC) AS age
    FROM gold.four_hour_performance AS d
) AS t
WHERE t.age <= :'p_days'::integer AND :of_facility
ORDER BY t.facility_id, t.local_day DESC;
\set p_title 'Left within four hours, by day (minutes)'
\ir ../psql/end.sql
