-- How much comes from where: readings, patients and devices per facility and sector.
--
--   hours  how far to look back  default 6
--   zone, until, explain: ../psql
--
-- Readings without facilityId and sectorId stand in a line without names. Readings are counted per patient and origin
-- first, so that distinct patients cost no sort of all readings. The BRIN index of the days gives the hours asked for.
\if :{?hours} \set p_hours :hours \else \set p_hours 6 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
WITH per_patient AS (
    SELECT r.origin_id, r.patient_id, count(*) AS readings, max(r.recorded_at) AS latest_at
    FROM silver.vital_reading AS r
    WHERE :in_window
    GROUP BY r.origin_id, r.patient_id
)
SELECT
    o.facility_id,
    o.sector_id,
    sum(p.readings)::bigint AS readings,
    round(sum(p.readings) * 60 / extract(epoch FROM :'p_until'::timestamptz - :'p_from'::timestamptz), 2)
        AS per_minute,
    count(DISTINCT p.patient_id) AS patients,
    count(DISTINCT o.device_id) AS devices,
    max(p.latest_at) AS latest_at
FROM per_patient AS p
LEFT JOIN silver.origin AS o USING (origin_id)
GROUP BY o.facility_id, o.sector_id
ORDER BY o.facility_id, o.sector_id;
\set p_title 'Readings per facility and sector, ' :p_time
\set p_none 'No reading from ' :p_time '.'
\ir ../psql/end.sql
