-- All statements of this database together, without those that the load tester's own session asks with.
--
-- The extension may be in any schema, so its relations are found by search_path, which the caller
-- has set; everything else is qualified.
--
-- @column calls     int8
-- @column total_us  float8
-- @column evicted   int8   entries that were dropped for want of room since the reset
-- @column reset     float8 when everything was reset, seconds since 1970; NaN: never
-- @server 14+
SELECT COALESCE(pg_catalog.sum(s.calls), 0)::int8 AS pgmend_load_calls,
       COALESCE(pg_catalog.sum(s.total_exec_time), 0)::float8 * 1000,
       i.dealloc,
       COALESCE(EXTRACT(epoch FROM i.stats_reset)::float8, 'NaN')
  FROM pg_stat_statements_info AS i
  LEFT JOIN pg_stat_statements AS s
    ON s.dbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
   AND s.toplevel
   AND s.query NOT LIKE '%pgmend\_load\_%'
 GROUP BY i.dealloc, i.stats_reset;
