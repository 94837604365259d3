-- The time asked for: [p_from, p_until), p_span long (an interval, set by the file). Further variable:
--   until    end of that time, as timestamptz reads it; without a zone in its text it is in `zone`     default now
--
-- :in_window is the condition on a reading r. It says the same twice. recorded_at leaves out whole daily partitions,
-- and the milliseconds are the expression of the BRIN index that each partition has (docs/data-dictionary.md), so that
-- an hour of a day is read and not the day. Floor and ceiling keep it the wider of the two. The server judges each of
-- its bounds again for every row it reads, so the upper one is left out where it would save nothing.
\if :{?until} \set p_until :until \else \set p_until now \endif
SELECT
    w.from_at AS p_from,
    w.until_at AS p_until,
    floor(extract(epoch FROM w.from_at) * 1000) AS p_from_ms,
    ceil(extract(epoch FROM w.until_at) * 1000) AS p_until_ms,
    w.until_at < now() - interval '30 minutes' AS p_is_past,
    to_char(w.from_at, 'YYYY-MM-DD HH24:MI:SS') || ' to ' || to_char(w.until_at, 'YYYY-MM-DD HH24:MI:SS') || ' '
        || current_setting('TimeZone') AS p_time
FROM (
    SELECT :'p_until'::timestamptz - :'p_span'::interval AS from_at, :'p_until'::timestamptz AS until_at
) AS w
\gset
\set in_window 'r.recorded_at >= :''p_from''::timestamptz AND r.recorded_at < :''p_until''::timestamptz '
\set in_window :in_window 'AND (((date_part(''epoch'', r.recorded_at - timestamptz ''epoch'') * 1000)::bigint)'
\if :p_is_past
    \set in_window :in_window '::numeric) BETWEEN :p_from_ms AND :p_until_ms'
\else
    \set in_window :in_window '::numeric) >= :p_from_ms'
\endif
\set p_asks_readings on
