-- Where a patient's series has holes: stretches without a reading, the one that still lasts at the end included.
--
--   patient  whose               default the first of the time asked for
--   minutes  shortest gap shown  default 15
--   hours    how far to look back  default 24
--   zone, until, explain: ../psql
--
-- A gap that began before the time asked for is not seen. Read through the primary keys of the days.
\if :{?hours} \set p_hours :hours \else \set p_hours 24 \endif
\if :{?minutes} \set p_minutes :minutes \else \set p_minutes 15 \endif
\set p_span :p_hours ' hours'
\set p_patient_default first
\ir ../psql/begin.sql
\ir ../psql/window.sql
\ir ../psql/patient.sql
:declare_answer
WITH series AS (
    SELECT
        r.patient_id,
        r.recorded_at,
        lead(r.recorded_at) OVER (PARTITION BY r.patient_id ORDER BY r.recorded_at) AS next_at
    FROM silver.vital_reading AS r
    WHERE :of_patient
        AND r.recorded_at >= :'p_from'::timestamptz AND r.recorded_at < :'p_until'::timestamptz
)
SELECT
    s.patient_id,
    s.recorded_at AS last_before,
    s.next_at AS first_after,
    round(extract(epoch FROM coalesce(s.next_at, :'p_until'::timestamptz) - s.recorded_at) / 60, 1) AS minutes,
    s.next_at IS NULL AS lasts
FROM series AS s
WHERE coalesce(s.next_at, :'p_until'::timestamptz) - s.recorded_at >= :'p_minutes'::float8 * interval '1 minute'
ORDER BY s.patient_id, s.recorded_at;
\set p_title 'Gaps of at least ' :p_minutes ' minutes, ' :p_whom ', ' :p_time
\set p_none 'No gap of ' :p_minutes ' minutes after a reading of ' :p_whom ', ' :p_time '.'
\ir ../psql/end.sql
