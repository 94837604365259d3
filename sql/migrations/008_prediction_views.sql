-- How good the predictions and forecasts of patient flow are, for people and dashboards.
-- Never edit this file after a release; add the next number instead.
--
-- What each column means: docs/data-dictionary.md. Views are granted by the defaults of 002.

-- How predictions turned out, by the UTC day they were made on, and over the 7 days that end with it.
CREATE VIEW gold.prediction_quality AS
SELECT
    d.facility_id,
    d.sector_id,
    d.kind,
    d.day,
    d.predictions,
    d.error_sum / d.predictions AS bias_minutes,
    d.absolute_sum / d.predictions AS mae_minutes,
    d.inside50::double precision / d.predictions AS coverage50,
    d.inside80::double precision / d.predictions AS coverage80,
    d.inside90::double precision / d.predictions AS coverage90,
    d.width90_sum / d.predictions AS mean_width90_minutes,
    sum(d.predictions) OVER week::bigint AS predictions_7d,
    sum(d.error_sum) OVER week / sum(d.predictions) OVER week AS bias_7d_minutes,
    sum(d.absolute_sum) OVER week / sum(d.predictions) OVER week AS mae_7d_minutes,
    (sum(d.inside50) OVER week / sum(d.predictions) OVER week)::double precision AS coverage50_7d,
    (sum(d.inside80) OVER week / sum(d.predictions) OVER week)::double precision AS coverage80_7d,
    (sum(d.inside90) OVER week / sum(d.predictions) OVER week)::double precision AS coverage90_7d
FROM (
    SELECT
        o.facility_id,
        o.sector_id,
        o.kind,
        (o.prediction_ts AT TIME ZONE 'UTC')::date AS day,
        count(*) AS predictions,
        sum(o.error_minutes) AS error_sum,
        sum(abs(o.error_minutes)) AS absolute_sum,
        count(*) FILTER (WHERE o.actual_minutes BETWEEN p.lower50 AND p.upper50) AS inside50,
        count(*) FILTER (WHERE o.actual_minutes BETWEEN p.lower80 AND p.upper80) AS inside80,
        count(*) FILTER (WHERE o.inside90) AS inside90,
        sum(p.upper90 - p.lower90) AS width90_sum
    FROM gold.prediction_outcome AS o
    JOIN gold.wait_prediction AS p
        ON p.visit_id = o.visit_id AND p.facility_id = o.facility_id AND p.prediction_ts = o.prediction_ts
            AND p.kind = o.kind
    GROUP BY o.facility_id, o.sector_id, o.kind, day
) AS d
WINDOW week AS (
    PARTITION BY d.facility_id, d.sector_id, d.kind ORDER BY d.day
    RANGE BETWEEN interval '6 days' PRECEDING AND CURRENT ROW
);

-- Whether the last 7 days look like the 28 before: population stability index over the tenths of the earlier days (of
-- acuity over its five values), with half a case added to each tenth. By custom nothing has changed below 0.1, and much
-- has above 0.25 (Siddiqi, Credit Risk Scorecards, Wiley 2006).
CREATE VIEW gold.prediction_drift AS
WITH fact AS (
    SELECT p.facility_id, v.feature, v.value, p.prediction_ts > f.frontier - interval '7 days' AS is_recent
    FROM gold.flow_state AS f
    JOIN gold.wait_prediction AS p
        ON p.facility_id = f.facility_id AND p.kind = 'arrival'
            AND p.prediction_ts > f.frontier - interval '35 days' AND p.prediction_ts <= f.frontier
    LEFT JOIN gold.prediction_outcome AS o
        ON o.visit_id = p.visit_id AND o.facility_id = p.facility_id AND o.prediction_ts = p.prediction_ts
            AND o.kind = p.kind
    CROSS JOIN LATERAL (VALUES
        ('acuity', p.acuity::double precision),
        ('hour_of_day', date_part('hour', p.prediction_ts AT TIME ZONE 'UTC')),
        ('predicted_minutes', p.predicted_minutes),
        ('actual_minutes', o.actual_minutes),
        ('error_minutes', o.error_minutes)
    ) AS v (feature, value)
    WHERE v.value IS NOT NULL
    UNION ALL
    SELECT w.facility_id, 'waiting', w.waiting_end, w.window_start > f.frontier - interval '7 days'
    FROM gold.flow_state AS f
    JOIN gold.occupancy_window AS w
        ON w.facility_id = f.facility_id AND w.window_minutes = 60
            AND w.window_start > f.frontier - interval '35 days' AND w.window_start <= f.frontier
),
edge AS (
    SELECT
        r.facility_id,
        r.feature,
        CASE WHEN r.feature = 'acuity' THEN ARRAY[1, 2, 3, 4, 5]::double precision[]
            ELSE percentile_disc(ARRAY[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) WITHIN GROUP (ORDER BY r.value)
        END AS edges
    FROM fact AS r
    WHERE NOT r.is_recent
    GROUP BY r.facility_id, r.feature
),
bin AS (
    SELECT
        r.facility_id,
        r.feature,
        width_bucket(r.value, e.edges) AS bin,
        count(*) FILTER (WHERE NOT r.is_recent) AS earlier,
        count(*) FILTER (WHERE r.is_recent) AS recent,
        sum(r.value) FILTER (WHERE NOT r.is_recent) AS earlier_sum,
        sum(r.value) FILTER (WHERE r.is_recent) AS recent_sum
    FROM fact AS r
    JOIN edge AS e ON e.facility_id = r.facility_id AND e.feature = r.feature
    GROUP BY r.facility_id, r.feature, bin
),
share AS (
    SELECT
        b.*,
        (b.earlier + 0.5::double precision) / (sum(b.earlier) OVER w + 0.5 * count(*) OVER w)::double precision AS p,
        (b.recent + 0.5::double precision) / (sum(b.recent) OVER w + 0.5 * count(*) OVER w)::double precision AS q
    FROM bin AS b
    WINDOW w AS (PARTITION BY b.facility_id, b.feature)
)
SELECT
    s.facility_id,
    s.feature,
    sum(s.earlier)::bigint AS earlier_count,
    sum(s.recent)::bigint AS recent_count,
    sum(s.earlier_sum) / nullif(sum(s.earlier), 0)::double precision AS earlier_mean,
    sum(s.recent_sum) / nullif(sum(s.recent), 0)::double precision AS recent_mean,
    sum(s.recent_sum) / nullif(sum(s.recent), 0)::double precision
        - sum(s.earlier_sum) / nullif(sum(s.earlier), 0)::double precision AS mean_shift,
    CASE WHEN sum(s.recent) > 0 THEN sum((s.q - s.p) * ln(s.q / s.p)) END AS stability_index
FROM share AS s
GROUP BY s.facility_id, s.feature;

-- Forecasts whose hour is over, beside what came: one row a horizon. Hour N ahead ends N hours after the forecast;
-- arrivals are those of that one hour, the census is that just before its end. Made of the windows of 5 minutes, at
-- whose ends forecasts are made: without 5 among WINDOW_MINUTES there is no row.
CREATE VIEW gold.forecast_outcome AS
SELECT
    s.facility_id,
    s.sector_id,
    s.prediction_ts,
    h.hours_ahead,
    e.hour_end,
    h.predicted_arrivals,
    h.predicted_arrivals_lower90,
    h.predicted_arrivals_upper90,
    o.arrivals,
    h.predicted_occupancy,
    h.predicted_occupancy_lower90,
    h.predicted_occupancy_upper90,
    o.occupancy,
    s.model_version
FROM gold.sector_forecast AS s
JOIN gold.flow_state AS f ON f.facility_id = s.facility_id
CROSS JOIN LATERAL (VALUES
    (1, s.predicted_arrivals_h1, s.predicted_arrivals_h1_lower90, s.predicted_arrivals_h1_upper90,
        s.predicted_occupancy_h1, s.predicted_occupancy_h1_lower90, s.predicted_occupancy_h1_upper90),
    (4, s.predicted_arrivals_h4, s.predicted_arrivals_h4_lower90, s.predicted_arrivals_h4_upper90,
        s.predicted_occupancy_h4, s.predicted_occupancy_h4_lower90, s.predicted_occupancy_h4_upper90),
    (24, s.predicted_arrivals_h24, s.predicted_arrivals_h24_lower90, s.predicted_arrivals_h24_upper90,
        s.predicted_occupancy_h24, s.predicted_occupancy_h24_lower90, s.predicted_occupancy_h24_upper90)
) AS h (hours_ahead, predicted_arrivals, predicted_arrivals_lower90, predicted_arrivals_upper90,
    predicted_occupancy, predicted_occupancy_lower90, predicted_occupancy_upper90)
CROSS JOIN LATERAL (SELECT s.prediction_ts + h.hours_ahead * interval '1 hour' AS hour_end) AS e
-- No window: nobody came and nobody was there.
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(w.arrivals), 0) AS arrivals,
        coalesce(max(w.census_end) FILTER (WHERE w.window_start = e.hour_end - interval '5 minutes'), 0) AS occupancy
    FROM gold.occupancy_window AS w
    WHERE w.facility_id = s.facility_id AND w.sector_id = s.sector_id AND w.window_minutes = 5
        AND w.window_start >= e.hour_end - interval '1 hour' AND w.window_start < e.hour_end
) AS o
WHERE e.hour_end <= f.frontier
    AND EXISTS (
        SELECT FROM gold.occupancy_window AS w WHERE w.facility_id = s.facility_id AND w.window_minutes = 5
    );

-- The same in one row a day of the forecast and horizon.
CREATE VIEW gold.forecast_quality AS
SELECT
    o.facility_id,
    o.sector_id,
    o.hours_ahead,
    (o.prediction_ts AT TIME ZONE 'UTC')::date AS day,
    count(*) AS forecasts,
    avg(o.predicted_arrivals - o.arrivals) AS arrivals_bias,
    avg(abs(o.predicted_arrivals - o.arrivals)) AS arrivals_mae,
    avg((o.arrivals BETWEEN o.predicted_arrivals_lower90 AND o.predicted_arrivals_upper90)::integer)::double precision
        AS arrivals_coverage90,
    avg(o.predicted_occupancy - o.occupancy) AS occupancy_bias,
    avg(abs(o.predicted_occupancy - o.occupancy)) AS occupancy_mae,
    avg((o.occupancy BETWEEN o.predicted_occupancy_lower90 AND o.predicted_occupancy_upper90)::integer)
        ::double precision AS occupancy_coverage90
FROM gold.forecast_outcome AS o
GROUP BY o.facility_id, o.sector_id, o.hours_ahead, day;
