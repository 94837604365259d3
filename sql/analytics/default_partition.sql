-- Days whose readings lie in the default partition, and how far ahead the daily partitions reach.
--
--   zone does not apply: partitions are days of UTC. explain: ../psql
--
-- A day gets there when readings come before its partition is made. It works, but such a day cannot be dropped as a
-- whole and is not left out by a question about other days; `vitalstream partitions` says how to empty it. The default
-- partition is read whole: it is empty when all is well, and no index could say which days it holds.
\ir ../psql/begin.sql
SELECT
    count(*) AS p_days,
    coalesce(max(to_date(right(c.relname, 8), 'YYYYMMDD'))::text, 'nowhere') AS p_reach,
    coalesce((max(to_date(right(c.relname, 8), 'YYYYMMDD')) - (now() AT TIME ZONE 'UTC')::date)::text, 'no') AS p_ahead
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'silver.vital_reading'::regclass AND c.relname ~ '^vital_reading_[0-9]{8}$'
\gset
:declare_answer
SELECT
    (r.recorded_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS readings,
    count(DISTINCT r.patient_id) AS patients,
    min(r.recorded_at) AS first_at,
    max(r.recorded_at) AS last_at
FROM silver.vital_reading_default AS r
GROUP BY 1
ORDER BY 1;
\set p_title 'Readings in the default partition; ' :p_days ' daily partitions reach to ' :p_reach
\set p_title :p_title ', ' :p_ahead ' days ahead'
\set p_none 'None: every reading lies in the partition of its day.'
\ir ../psql/end.sql
