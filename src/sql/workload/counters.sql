-- Calls and times of the statements of this database, to be compared a few seconds later.
--
-- The extension may be in any schema, so its function is found by search_path, which the caller
-- has set. Texts stand in a file that is read as a whole, so they are asked for once only.
--
-- @arg with_texts bool
-- @column user_id        oid
-- @column query_id       int8
-- @column is_top_level   bool
-- @column calls          int8
-- @column total_ms       float8
-- @column is_own         bool   pgmend's own, or of the catalogues; false without texts
-- @server 14+
SELECT s.userid, s.queryid, s.toplevel, s.calls, s.total_exec_time,
       coalesce(s.query LIKE '%pg\_catalog.%' OR s.query LIKE '%pgmend.%'
                OR s.query LIKE '%/* pgmend */%', false)
  FROM pg_stat_statements($1::pg_catalog.bool) s
 WHERE s.dbid = (SELECT d.oid
                   FROM pg_catalog.pg_database d
                  WHERE d.datname = pg_catalog.current_database())
   AND s.queryid IS NOT NULL
   AND s.calls > 0
