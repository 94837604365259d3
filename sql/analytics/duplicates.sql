-- What became of the messages of each Kafka partition, and how many of them said nothing new.
--
--   group    one consumer group only  default all
--   zone, explain: ../psql
--
-- Counts of the ledger since the group began; it has a row per group, topic and partition, so nothing else is read.
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
    p.consumed,
    p.inserted,
    p.merged,
    p.corrected,
    p.duplicate,
    p.stale,
    p.rejected,
    round(100.0 * p.duplicate / nullif(p.consumed, 0), 2) AS duplicate_percent
FROM ops.partition_progress AS p
WHERE :of_group
ORDER BY p.consumer_group, p.topic, p.partition;
\set p_title 'Messages of each Kafka partition by what became of them'
\ir ../psql/end.sql
