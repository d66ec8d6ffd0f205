-- Counters of pg_stat_statements without their texts, the most time first; none of databases that were
-- dropped.
--
-- It runs right after monitor/statements_info, which has put the extension's schema at the end of
-- search_path, and puts the path back. So nothing here may be found by the path but the function
-- itself: no operator stands bare.
--
-- @arg most_rows int4
-- @column userid oid
-- @column dbid oid
-- @column queryid int8
-- @column toplevel bool
-- @column user text
-- @column datname text
-- @column calls int8
-- @column seconds float8 execution time in all
-- @column mean_seconds float8
-- @column max_seconds float8
-- @column rows int8
-- @column blocks_hit int8
-- @column blocks_read int8
-- @column blocks_dirtied int8
-- @column blocks_written int8
-- @column temp_read int8 blocks
-- @column temp_written int8 blocks
-- @column read_seconds float8 0 unless track_io_timing
-- @column write_seconds float8
-- @column wal_bytes float8
-- @column since_epoch float8 when the entry was made; NaN: the extension does not say (before 1.11)
-- @server 14+
SELECT s.userid, s.dbid, s.queryid, s.toplevel,
       pg_catalog.pg_get_userbyid(s.userid)::pg_catalog.text,
       d.datname::pg_catalog.text,
       s.calls,
       s.total_exec_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.mean_exec_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.max_exec_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.rows, s.shared_blks_hit, s.shared_blks_read, s.shared_blks_dirtied,
       s.shared_blks_written, s.temp_blks_read, s.temp_blks_written,
       s.shared_blk_read_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.shared_blk_write_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.wal_bytes::pg_catalog.float8,
       pg_catalog.date_part('epoch', s.stats_since)
  FROM (SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)) AS path
 CROSS JOIN pg_stat_statements(false) AS s
  JOIN pg_catalog.pg_database AS d ON d.oid OPERATOR(pg_catalog.=) s.dbid
 WHERE s.queryid IS NOT NULL
   AND s.calls OPERATOR(pg_catalog.>) 0::pg_catalog.int8
 ORDER BY s.total_exec_time DESC
 LIMIT $1::pg_catalog.int4;
