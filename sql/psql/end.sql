-- Last of all in every file of ../analytics: p_title, then the cursor's rows, or one line that says why there are none:
-- p_none, or that there are no readings at all in the time asked for.
\qecho :p_title
\if :p_explain
\else
    MOVE FORWARD 1 IN answer;
    SELECT :ROW_COUNT > 0 AS p_some, false AS p_empty_time \gset
    \if :p_some
        MOVE ABSOLUTE 0 IN answer;
        FETCH ALL FROM answer;
    \else
        \if :p_asks_readings
            SELECT NOT EXISTS (SELECT FROM silver.vital_reading AS r WHERE :in_window) AS p_empty_time \gset
        \endif
        \if :p_empty_time
            -- By the files' sizes: to look for the newest reading would mean to read them all.
            SELECT 'No readings from ' || :'p_time' || coalesce(
                '; the newest day with any is ' || max(to_date(right(c.relname, 8), 'YYYYMMDD')) || ': -v until='
                    || max(to_date(right(c.relname, 8), 'YYYYMMDD')) + 1,
                '; no day has any: vitalstream check says what is missing') || '.' AS p_none
            FROM pg_inherits AS i
            JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'silver.vital_reading'::regclass
                AND c.relname ~ '^vital_reading_[0-9]{8}$' AND pg_relation_size(c.oid) > 0
            \gset
        \endif
        \qecho :p_none
    \endif
\endif
COMMIT;
\set QUIET :p_quiet
\set ON_ERROR_STOP :p_error_stop
