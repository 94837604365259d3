-- The ledger against the tables: every equation of the books that `vitalstream verify` judges, with both its sides.
--
--   patient_flow_topic  the topic whose messages become no readings       default patient-flow
--   rows                off: leave out the equations that count tables    default on
--   explain: ../psql
--
-- The equations about tables need every row counted, which no index does in less than a second on 10 million readings;
-- the others read the ledger and count dead letters by their key.
\if :{?patient_flow_topic} \set p_flow :patient_flow_topic \else \set p_flow patient-flow \endif
\if :{?rows} \set p_rows :rows \else \set p_rows on \endif
\ir ../psql/begin.sql
:declare_answer
WITH totals AS (
    SELECT
        coalesce(sum(p.inserted) FILTER (WHERE p.topic <> :'p_flow'), 0) AS inserted,
        coalesce(sum(p.corrected) FILTER (WHERE p.topic <> :'p_flow'), 0) AS corrected,
        coalesce(sum(p.inserted) FILTER (WHERE p.topic = :'p_flow'), 0) AS events
    FROM ops.partition_progress AS p
),
dropped AS (
    SELECT
        coalesce(sum(t.dropped_rows) FILTER (WHERE t.table_name IN ('silver.vital_reading', 'vital_reading')), 0)
            AS readings,
        coalesce(sum(t.dropped_rows) FILTER (
            WHERE t.table_name IN ('silver.vital_reading_history', 'vital_reading_history')), 0) AS history,
        coalesce(sum(t.dropped_rows) FILTER (WHERE t.table_name = 'silver.patient_flow_event'), 0) AS events
    FROM ops.retention_run AS t
),
equation (scope, position, name, expected, actual) AS (
    SELECT p.consumer_group || ' ' || p.topic || '[' || p.partition || ']', e.*
    FROM ops.partition_progress AS p
    CROSS JOIN LATERAL (VALUES
        (1, 'consumed = next_offset - first_offset - gaps', p.next_offset - p.first_offset - p.gaps, p.consumed),
        (2, 'consumed = the sum of the six classes',
            p.inserted + p.merged + p.corrected + p.duplicate + p.stale + p.rejected, p.consumed),
        (3, 'rejected = dead letters in the range', p.settled_letters + (
            SELECT count(*)
            FROM bronze.dead_letter AS d
            WHERE d.topic = p.topic AND d.partition = p.partition
                AND d."offset" >= greatest(p.first_offset, p.settled_before) AND d."offset" < p.next_offset
                -- A letter that the group has retried and that is there again is another group's.
                AND NOT EXISTS (
                    SELECT
                    FROM ops.dead_letter_retry AS r
                    WHERE r.consumer_group = p.consumer_group AND r.topic = d.topic AND r.partition = d.partition
                        AND r."offset" = d."offset"
                )
        ), p.rejected),
        (4, 'classes below zero', 0, (
            SELECT count(*)
            FROM (VALUES (p.inserted), (p.merged), (p.corrected), (p.duplicate), (p.stale), (p.rejected)) AS c (n)
            WHERE c.n < 0
        ))
    ) AS e
    UNION ALL
    SELECT 'all groups', 5, 'rows of vital_reading = inserted - dropped', t.inserted - d.readings,
        (SELECT count(*) FROM silver.vital_reading)
    FROM totals AS t
    CROSS JOIN dropped AS d
    WHERE :'p_rows'::boolean
    UNION ALL
    SELECT 'all groups', 6, 'rows of vital_reading_history = corrected - dropped', t.corrected - d.history,
        (SELECT count(*) FROM silver.vital_reading_history)
    FROM totals AS t
    CROSS JOIN dropped AS d
    WHERE :'p_rows'::boolean
    UNION ALL
    SELECT 'all groups', 7, 'rows of patient_flow_event = inserted - dropped', t.events - d.events,
        (SELECT count(*) FROM silver.patient_flow_event)
    FROM totals AS t
    CROSS JOIN dropped AS d
    WHERE :'p_rows'::boolean
)
SELECT
    e.scope AS about,
    e.name AS equation,
    e.expected,
    e.actual,
    CASE WHEN e.expected = e.actual THEN 'ok' ELSE 'DIFFERS' END AS verdict
FROM equation AS e
ORDER BY e.scope = 'all groups', e.scope, e.position;
\set p_title 'The ledger against the tables'
\set p_none 'No group has taken a partition over yet, and the tables were not to be counted.'
\ir ../psql/end.sql
