-- Hourly forecasts of arrivals and occupancy against what came, by sector, day and horizon.
--
--   facility  one facility only                default all
--   days  how many of the newest days      default 7
--   zone, explain: ../psql
--
-- Days are UTC, of the forecast. Each forecast is joined with the window of its hour by key.
\if :{?facility}
    \set of_facility 't.facility_id = :''facility'''
    \set p_none 'No forecast has come true yet in facility ' :facility '.'
\else
    \set of_facility true
    \set p_none 'No forecast has come true yet.'
\endif
\if :{?days} \set p_days :days \else \set p_days 7 \endif
\ir ../psql/begin.sql
:declare_answer
SELECT
    t.facility_id,
    t.sector_id,
    t.day,
    t.hours_ahead AS hours,
    t.forecasts AS n,
    round(t.arrivals_mae::numeric, 2) AS arrivals_mae,
    round(t.arrivals_bias::numeric, 2) AS arrivals_bias,
    round(t.arrivals_coverage90::numeric, 3) AS arrivals_within90,
    round(t.occupancy_mae::numeric, 2) AS occupancy_mae,
    round(t.occupancy_bias::numeric, 2) AS occupancy_bias,
    round(t.occupancy_coverage90::numeric, 3) AS occupancy_within90
FROM (
    SELECT q.*, rank() OVER (PARTITION BY q.facility_id, q.sector_id, q.hours_ahead ORDER BY q.day DESC) AS age
    FROM gold.forecast_quality AS q
) AS t
WHERE t.age <= :'p_days'::integer AND :of_facility
ORDER BY t.facility_id, t.sector_id, t.day DESC, t.hours_ahead;
\set p_title 'Forecasts against what came'
\ir ../psql/end.sql
