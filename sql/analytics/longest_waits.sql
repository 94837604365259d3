-- Who waits longest now, with the newest prediction for each.
--
--   facility  one facility only                default all
--   rows  at most so many rows, or all      default 20
--   zone, explain: ../psql
--
-- Now is the newest event time of the facility. Found through the index of visits by time.
\if :{?facility}
    \set of_facility 't.facility_id = :''facility'''
    \set p_none 'Nobody waits in facility ' :facility '.'
\else
    \set of_facility true
    \set p_none 'Nobody waits.'
\endif
\if :{?rows} \set p_rows :rows \else \set p_rows 20 \endif
\ir ../psql/begin.sql
:declare_answer
SELECT
    t.facility_id,
    t.sector_id,
    t.visit_id,
    t.acuity,
    t.arrival_at,
    round(t.waited_minutes::numeric, 1) AS waited,
    round(t.predicted_minutes::numeric, 1) AS predicted,
    round(t.lower90::numeric, 1) AS lower90,
    round(t.upper90::numeric, 1) AS upper90,
    t.predicted_at
FROM gold.longest_current_waits AS t
WHERE :of_facility
ORDER BY t.waited_minutes DESC, t.facility_id, t.visit_id
LIMIT nullif(:'p_rows', 'all')::bigint;
\set p_title 'Longest waits now (minutes)'
\ir ../psql/end.sql
