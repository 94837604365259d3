-- How crowded each sector is that patients arrive at: NEDOCS, and what it is made of.
--
--   facility  one facility only                default all
--   zone, explain: ../psql
--
-- Beds are silver.sector_capacity; without any the score is absent. Nobody says who is ventilated, so none is. The
-- score is not held to 0..200.
\if :{?facility}
    \set of_facility 't.facility_id = :''facility'''
    \set p_none 'Nobody has arrived for 7 days in facility ' :facility '.'
\else
    \set of_facility true
    \set p_none 'Nobody has arrived for 7 days.'
\endif
\ir ../psql/begin.sql
:declare_answer
SELECT
    t.facility_id,
    t.sector_id,
    t.at,
    round(t.nedocs::numeric, 1) AS nedocs,
    t.level,
    t.present,
    t.beds,
    t.boarding,
    t.hospital_beds,
    round(t.longest_boarding_hours::numeric, 2) AS longest_boarding_h,
    round(t.last_wait_hours::numeric, 2) AS last_wait_h
FROM gold.crowding AS t
WHERE :of_facility
ORDER BY t.nedocs DESC NULLS LAST, t.facility_id, t.sector_id;
\set p_title 'Crowding now (NEDOCS)'
\ir ../psql/end.sql
