-- How predicted waits turned out, by sector and day: error, bias and how often the intervals held.
--
--   facility  one facility only                default all
--   days  how many of the newest days      default 14
--   kind  arrival or refresh               default arrival
--   zone, explain: ../psql
--
-- Days are UTC, of the prediction. The columns with 7d are of the 7 days that end with the day. All outcomes are read
-- and joined with their predictions by key.
\if :{?facility}
    \set of_facility 't.facility_id = :''facility'''
    \set p_none 'No predicted wait has ended yet in facility ' :facility '.'
\else
    \set of_facility true
    \set p_none 'No predicted wait has ended yet.'
\endif
\if :{?days} \set p_days :days \else \set p_days 14 \endif
\if :{?kind} \set p_kind :kind \else \set p_kind arrival \endif
\ir ../psql/begin.sql
:declare_answer
SELECT
    t.facility_id,
    t.sector_id,
    t.day,
    t.predictions AS n,
    round(t.mae_minutes::numeric, 2) AS mae,
    round(t.bias_minutes::numeric, 2) AS bias,
    round(t.coverage50::numeric, 3) AS within50,
    round(t.coverage80::numeric, 3) AS within80,
    round(t.coverage90::numeric, 3) AS within90,
    round(t.mae_7d_minutes::numeric, 2) AS mae_7d,
    round(t.bias_7d_minutes::numeric, 2) AS bias_7d,
    round(t.coverage90_7d::numeric, 3) AS within90_7d
FROM (
    SELECT q.*, rank() OVER (PARTITION BY q.facility_id, q.sector_id ORDER BY q.day DESC) AS age
    FROM gold.prediction_quality AS q
    WHERE q.kind = :'p_kind'
) AS t
WHERE t.age <= :'p_days'::integer AND :of_facility
ORDER BY t.facility_id, t.sector_id, t.day DESC;
\set p_title 'Predicted waits against what came (minutes)'
\ir ../psql/end.sql
