-- Who is where now: present, waiting, in treatment, the last hour, and the newest predicted wait, by sector.
--
--   facility  one facility only                default all
--   zone, explain: ../psql
--
-- Now is the newest event time of each facility. Sectors that reported nothing for 24 hours are left out. Who is
-- present is found through the index of visits by time.
\if :{?facility}
    \set of_facility 't.facility_id = :''facility'''
    \set p_none 'Nobody has reported any patient flow in facility ' :facility '.'
\else
    \set of_facility true
    \set p_none 'Nobody has reported any patient flow.'
\endif
\ir ../psql/begin.sql
:declare_answer
SELECT
    t.facility_id,
    t.sector_id,
    t.at,
    t.present,
    t.waiting,
    t.in_treatment,
    t.boarding,
    round(t.longest_wait_minutes::numeric, 1) AS longest_wait,
    t.arrivals_last_hour AS arrived,
    t.treatment_starts_last_hour AS started,
    t.departures_last_hour AS gone,
    t.capacity,
    round(t.occupancy_rate::numeric, 2) AS occupancy,
    round(t.predicted_minutes::numeric, 1) AS predicted_wait,
    round(t.lower90::numeric, 1) AS lower90,
    round(t.upper90::numeric, 1) AS upper90
FROM gold.flow_board AS t
WHERE :of_facility
ORDER BY t.facility_id, t.sector_id;
\set p_title 'Patient flow now (minutes)'
\ir ../psql/end.sql
