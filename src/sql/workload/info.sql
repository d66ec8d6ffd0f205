-- When the statement statistics were reset, how many entries were evicted, and the server's start.
--
-- The extension may be in any schema, so its relations are found by search_path, which the caller
-- has set; everything else is qualified.
--
-- @column taken_at        text
-- @column server_start    text
-- @column stats_reset     text?  NULL: never
-- @column evicted         int8   entries that were dropped for want of room since the reset
-- @column most_entries    int8   how many entries there is room for
-- @column hidden          int8   entries of other roles that we may not read
-- @server 14+
SELECT pg_catalog.clock_timestamp() AS taken_at,
       pg_catalog.pg_postmaster_start_time() AS server_start,
       i.stats_reset,
       i.dealloc AS evicted,
       pg_catalog.current_setting('pg_stat_statements.max')::pg_catalog.int8 AS most_entries,
       (SELECT pg_catalog.count(*)
          FROM pg_stat_statements(false) s
         WHERE s.queryid IS NULL) AS hidden
  FROM pg_stat_statements_info i
