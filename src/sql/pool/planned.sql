-- Statements that were run far more often than planned, so that a plan was kept: prepared ones. Only with
-- pg_stat_statements.track_planning.
--
-- The extension may be in any schema, so its function is found by search_path, which the caller has
-- set; everything else is qualified.
--
-- @column query text
-- @column calls int8
-- @column plans int8
-- @server 14+
SELECT s.query, s.calls, s.plans
  FROM pg_stat_statements(true) AS s
  JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
 WHERE d.datname = pg_catalog.current_database()
   AND s.query IS NOT NULL
   AND s.toplevel
   AND s.plans > 0
   AND s.calls >= 10
   AND s.plans * 2 < s.calls
 ORDER BY s.calls DESC
 LIMIT 20;
