-- Whether patients, waits and errors of the last 7 days are still those of the 28 days before.
--
--   facility  one facility only                default all
--   zone, explain: ../psql
--
-- psi is the population stability index: by custom nothing has changed below 0.1, and much has above 0.25. It needs at
-- least 8 days of predictions.
\if :{?facility}
    \set of_facility 't.facility_id = :''facility'''
    \set p_none 'There are no predictions older than 7 days in facility ' :facility '.'
\else
    \set of_facility true
    \set p_none 'There are no predictions older than 7 days.'
\endif
\ir ../psql/begin.sql
:declare_answer
SELECT
    t.facility_id,
    t.feature,
    t.earlier_count AS earlier,
    t.recent_count AS recent,
    round(t.earlier_mean::numeric, 2) AS earlier_mean,
    round(t.recent_mean::numeric, 2) AS recent_mean,
    round(t.mean_shift::numeric, 2) AS shift,
    round(t.stability_index::numeric, 4) AS psi
FROM gold.prediction_drift AS t
WHERE :of_facility
ORDER BY t.facility_id, t.stability_index DESC NULLS LAST, t.feature;
\set p_title 'Drift of the last 7 days'
\ir ../psql/end.sql
