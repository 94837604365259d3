-- Readings that came after newer ones of their Kafka partition, by how much they were behind.
--
--   hours  how far to look back, by event time  default 1
--   zone, until, explain: ../psql
--
-- The log's order is source_offset; behind is the newest recorded_at before a reading in that order, less its own. A
-- merge or a correction stands at the place of the message that made it, so it counts as late. Nothing records when a
-- message arrived, so readings whose whole partition was held up do not show: lag.sql is for that. The BRIN index of
-- the days gives the hour, which is sorted by offset in memory.
\if :{?hours} \set p_hours :hours \else \set p_hours 1 \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
:declare_answer
WITH arrival AS (
    SELECT
        r.source_partition,
        r.recorded_at,
        max(r.recorded_at) OVER (PARTITION BY r.source_partition ORDER BY r.source_offset) - r.recorded_at AS behind
    FROM silver.vital_reading AS r
    WHERE :in_window
)
SELECT
    a.source_partition,
    count(*) AS readings,
    count(*) FILTER (WHERE a.behind > interval '0') AS late,
    count(*) FILTER (WHERE a.behind > interval '1 second') AS over_1_second,
    count(*) FILTER (WHERE a.behind > interval '1 minute') AS over_1_minute,
    count(*) FILTER (WHERE a.behind > interval '10 minutes') AS over_10_minutes,
    round(extract(epoch FROM max(a.behind)), 3) AS most_seconds
FROM arrival AS a
GROUP BY a.source_partition
HAVING bool_or(a.behind > interval '0')
ORDER BY a.source_partition;
\set p_title 'Late readings per Kafka partition, ' :p_time
\set p_none 'Every reading from ' :p_time ' came in the order of its time.'
\ir ../psql/end.sql
