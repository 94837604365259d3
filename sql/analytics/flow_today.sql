-- Today hour by hour and sector by sector: who came, was treated and left, and how full it was.
--
--   facility  one facility only                default all
--   zone, explain: ../psql
--
-- Today is the day of the facility's newest event, hours are on its own clock (silver.facility). All windows of 60
-- minutes are looked at.
\if :{?facility}
    \set of_facility 't.facility_id = :''facility'''
    \set p_none 'No hour of patient flow has been stored in facility ' :facility '.'
\else
    \set of_facility true
    \set p_none 'No hour of patient flow has been stored.'
\endif
\ir ../psql/begin.sql
:declare_answer
SELECT
    t.facility_id,
    t.sector_id,
    to_char(t.local_start, 'HH24:MI') AS local_hour,
    t.arrivals,
    t.treatment_starts AS started,
    t.departures AS departed,
    t.left_without_being_seen AS unseen,
    round(t.census_mean::numeric, 1) AS census_mean,
    t.census_max,
    t.waiting_max,
    t.boarding_end AS boarding,
    round(t.wait_p50_minutes::numeric, 1) AS wait_p50,
    round(t.wait_p90_minutes::numeric, 1) AS wait_p90,
    round(t.longest_current_wait_minutes::numeric, 1) AS longest_wait,
    round(t.four_hour_share::numeric, 3) AS four_hours
FROM gold.flow_by_hour AS t
WHERE t.is_today AND :of_facility
ORDER BY t.facility_id, t.sector_id, t.window_start;
\set p_title 'Patient flow today by hour (minutes)'
\ir ../psql/end.sql
