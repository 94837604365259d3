-- How far each partition is behind the end of its log, and when it last moved, furthest first.
--
--   group  one consumer group only  default all
--   zone, explain: ../psql
--
-- The end of the log is as the service last saw it, with its last commit; a service that stands still does not see it
-- move, so look at idle_seconds too. Only the ledger is read, one row per group, topic and partition.
\set p_none 'No group has taken a partition over yet: vitalstream check says what is missing.'
\if :{?group}
    \set of_group 'p.consumer_group = :''group'''
    \set p_none 'The ledger knows no group ' :group '.'
\else
    \set of_group true
\endif
\ir ../psql/begin.sql
:declare_answer
SELECT
    p.consumer_group,
    p.topic,
    p.partition,
    p.next_offset,
    p.high_watermark,
    -- greatest() would make 0 of an end that is not known yet.
    CASE WHEN p.high_watermark IS NOT NULL THEN greatest(p.high_watermark - p.next_offset, 0) END AS lag,
    p.epoch,
    p.updated_at,
    greatest(round(extract(epoch FROM now() - p.updated_at), 1), 0) AS idle_seconds
FROM ops.partition_progress AS p
WHERE :of_group
ORDER BY lag DESC NULLS FIRST, p.consumer_group, p.topic, p.partition;
\set p_title 'Lag per partition (messages)'
\ir ../psql/end.sql
