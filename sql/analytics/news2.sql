-- The National Early Warning Score 2 of each patient's newest complete set of observations, highest first.
--
--   spo2_scale  1, or 2 for patients in hypercapnic respiratory failure, on a clinician's word only  default 1
--   at_least    lowest score shown                    default 5, where an urgent response is due
--   patient     one patient's id, or all              default all
--   hours       how far to look back                  default 1
--   rows        at most so many patients, or all      default 50
--   zone, until, explain: ../psql
--
-- Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, Charts 1 and 2, ISBN 978-1-86016-682-2,
-- read 2026-11-21. A set is one reading that has all seven; readings that lack one are passed over. Values are rounded
-- as the chart prints them: temperature to a tenth, the others to whole numbers. Not for children or pregnant women,
-- and no substitute for the chart at the bed. The BRIN index of the days gives the hour.
\if :{?spo2_scale} \set p_scale :spo2_scale \else \set p_scale 1 \endif
\if :{?at_least} \set p_at_least :at_least \else \set p_at_least 5 \endif
\if :{?hours} \set p_hours :hours \else \set p_hours 1 \endif
\if :{?rows} \set p_rows :rows \else \set p_rows 50 \endif
\set p_span :p_hours ' hours'
\set p_patient_default all
\ir ../psql/begin.sql
\ir ../psql/window.sql
\ir ../psql/patient.sql
:declare_answer
WITH newest AS (
    SELECT DISTINCT ON (r.patient_id)
        r.patient_id,
        r.recorded_at,
        round(r.respiratory_rate::numeric) AS respiration,
        round(r.oxygen_saturation::numeric) AS saturation,
        r.supplemental_oxygen AS on_oxygen,
        round(r.systolic_pressure::numeric) AS systolic,
        round(r.heart_rate::numeric) AS pulse,
        r.consciousness,
        round(r.temperature::numeric, 1) AS temperature
    FROM silver.vital_reading AS r
    WHERE r.respiratory_rate IS NOT NULL AND r.oxygen_saturation IS NOT NULL AND r.supplemental_oxygen IS NOT NULL
        AND r.systolic_pressure IS NOT NULL AND r.heart_rate IS NOT NULL AND r.consciousness IS NOT NULL
        AND r.temperature IS NOT NULL AND :of_patient AND :in_window
    ORDER BY r.patient_id, r.recorded_at DESC
),
points AS (
    SELECT
        n.*,
        CASE WHEN n.respiration <= 8 THEN 3 WHEN n.respiration <= 11 THEN 1 WHEN n.respiration <= 20 THEN 0
            WHEN n.respiration <= 24 THEN 2 ELSE 3 END AS respiration_points,
        CASE :'p_scale'::integer
            WHEN 1 THEN CASE WHEN n.saturation <= 91 THEN 3 WHEN n.saturation <= 93 THEN 2
                WHEN n.saturation <= 95 THEN 1 ELSE 0 END
            WHEN 2 THEN CASE WHEN n.saturation <= 83 THEN 3 WHEN n.saturation <= 85 THEN 2
                WHEN n.saturation <= 87 THEN 1 WHEN n.saturation <= 92 OR NOT n.on_oxygen THEN 0
                WHEN n.saturation <= 94 THEN 1 WHEN n.saturation <= 96 THEN 2 ELSE 3 END
        END AS saturation_points,
        CASE WHEN n.on_oxygen THEN 2 ELSE 0 END AS oxygen_points,
        CASE WHEN n.systolic <= 90 THEN 3 WHEN n.systolic <= 100 THEN 2 WHEN n.systolic <= 110 THEN 1
            WHEN n.systolic <= 219 THEN 0 ELSE 3 END AS systolic_points,
        CASE WHEN n.pulse <= 40 THEN 3 WHEN n.pulse <= 50 THEN 1 WHEN n.pulse <= 90 THEN 0 WHEN n.pulse <= 110 THEN 1
            WHEN n.pulse <= 130 THEN 2 ELSE 3 END AS pulse_points,
        CASE WHEN n.consciousness = 'A' THEN 0 ELSE 3 END AS consciousness_points,
        CASE WHEN n.temperature <= 35.0 THEN 3 WHEN n.temperature <= 36.0 THEN 1 WHEN n.temperature <= 38.0 THEN 0
            WHEN n.temperature <= 39.0 THEN 1 ELSE 2 END AS temperature_points
    FROM newest AS n
),
scored AS (
    SELECT
        p.*,
        p.respiration_points + p.saturation_points + p.oxygen_points + p.systolic_points + p.pulse_points
            + p.consciousness_points + p.temperature_points AS score,
        3 IN (p.respiration_points, p.saturation_points, p.systolic_points, p.pulse_points, p.consciousness_points,
            p.temperature_points) AS has_three
    FROM points AS p
)
SELECT
    s.patient_id,
    s.recorded_at,
    s.score,
    CASE WHEN s.score >= 7 THEN 'high' WHEN s.score >= 5 THEN 'medium' WHEN s.has_three THEN 'low-medium'
        ELSE 'low' END AS risk,
    s.respiration_points AS respiration,
    s.saturation_points AS saturation,
    s.oxygen_points AS oxygen,
    s.systolic_points AS systolic,
    s.pulse_points AS pulse,
    s.consciousness_points AS consciousness,
    s.temperature_points AS temperature
FROM scored AS s
WHERE s.score >= :'p_at_least'::integer
ORDER BY s.score DESC, s.patient_id
LIMIT nullif(:'p_rows', 'all')::bigint;
\set p_title 'NEWS2 of at least ' :p_at_least ' (SpO2 scale ' :p_scale '), ' :p_whom ', ' :p_time ', at most ' :p_rows
\set p_none 'No complete set of ' :p_whom ' scores ' :p_at_least ' or more (SpO2 scale ' :p_scale '), ' :p_time '.'
\ir ../psql/end.sql
