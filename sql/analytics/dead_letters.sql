-- Messages that could not be used, by reason and hour of receipt.
--
--   hours  how far to look back, by received_at  default 24
--   topic  one topic only                        default all
--   zone, until, explain: ../psql
--
-- Reads no payload, which is patient data: only reason, topic, partition and time. There is no index on received_at,
-- since letters are few and short-lived: all of them are looked at, 100,000 in some tens of milliseconds.
\if :{?hours} \set p_hours :hours \else \set p_hours 24 \endif
\if :{?topic} \set of_topic 'd.topic = :''topic''' \else \set of_topic true \endif
\set p_span :p_hours ' hours'
\ir ../psql/begin.sql
\ir ../psql/window.sql
\set p_asks_readings off
:declare_answer
SELECT
    date_trunc('hour', d.received_at, :'p_zone') AS hour,
    d.topic,
    d.reason,
    count(*) AS letters,
    count(DISTINCT d.partition) AS partitions
FROM bronze.dead_letter AS d
WHERE d.received_at >= :'p_from'::timestamptz AND d.received_at < :'p_until'::timestamptz AND :of_topic
GROUP BY 1, 2, 3
ORDER BY 1, 4 DESC, 2, 3;
\set p_title 'Dead letters by reason and hour, ' :p_time
\set p_none 'No dead letters from ' :p_time ': every message could be used.'
\ir ../psql/end.sql
