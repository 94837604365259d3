-- First of all in every file of ../analytics: one read-only transaction, so that all its parts see the same moment.
--
-- Variables that all of them take (-v name=value, or \set in a session; a default never sticks to the session):
--   zone     time zone of times shown and of hours and days                 default UTC
--   explain  on: show the query's plan and times instead of its answer      default off
--
-- The answer is a cursor, since only that can be asked whether it is empty before it is printed (end.sql). A cursor is
-- never planned in parallel; the times in ../README.md are those of one core.
\set p_quiet :QUIET
\set p_error_stop :ON_ERROR_STOP
\set QUIET on
\set ON_ERROR_STOP on
\if :{?zone} \set p_zone :zone \else \set p_zone UTC \endif
\if :{?explain} \set p_explain :explain \else \set p_explain off \endif
\if :p_explain
    \set declare_answer 'EXPLAIN (ANALYZE, BUFFERS) DECLARE answer SCROLL CURSOR FOR'
\else
    \set declare_answer 'DECLARE answer SCROLL CURSOR FOR'
\endif
\set p_asks_readings off
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL TimeZone = :'p_zone';
-- Compiling costs more than it saves in a query of less than a second.
SET LOCAL jit = off;
-- A few hundred thousand readings are sorted without a file.
SET LOCAL work_mem = '96MB';
-- All rows of the answer are fetched, so no plan that only finds the first of them fast.
SET LOCAL cursor_tuple_fraction = 1;
