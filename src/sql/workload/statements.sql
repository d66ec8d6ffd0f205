-- The statements of this database with their counts and times since each entry was made.
--
-- The extension may be in any schema, so its function is found by search_path, which the caller
-- has set; everything else is qualified. Its columns depend on the extension's version, not on the
-- server's (ALTER EXTENSION … UPDATE is a step of its own): stats_since came with 1.11 and is read
-- by way of jsonb, so that one text serves all versions.
--
-- @column user_id        oid
-- @column query_id       int8
-- @column is_top_level   bool
-- @column query          text
-- @column calls          int8
-- @column total_ms       float8
-- @column mean_ms        float8
-- @column min_ms         float8
-- @column max_ms         float8
-- @column stddev_ms      float8
-- @column row_count      int8
-- @column blocks_hit     int8
-- @column blocks_read    int8
-- @column temp_read      int8   blocks
-- @column temp_written   int8   blocks
-- @column wal_bytes      float8
-- @column stats_since    text   when the entry was made; empty when the extension does not say
-- @server 14+
SELECT s.userid AS user_id,
       s.queryid AS query_id,
       s.toplevel AS is_top_level,
       s.query,
       s.calls,
       s.total_exec_time AS total_ms,
       s.mean_exec_time AS mean_ms,
       s.min_exec_time AS min_ms,
       s.max_exec_time AS max_ms,
       s.stddev_exec_time AS stddev_ms,
       s.rows AS row_count,
       s.shared_blks_hit AS blocks_hit,
       s.shared_blks_read AS blocks_read,
       s.temp_blks_read AS temp_read,
       s.temp_blks_written AS temp_written,
       s.wal_bytes::pg_catalog.float8 AS wal_bytes,
       coalesce(pg_catalog.to_jsonb(s.*) ->> 'stats_since', '') AS stats_since
  FROM pg_stat_statements(true) s
 WHERE s.dbid = (SELECT d.oid
                   FROM pg_catalog.pg_database d
                  WHERE d.datname = pg_catalog.current_database())
   AND s.queryid IS NOT NULL
   AND s.query IS NOT NULL
   AND s.calls > 0
