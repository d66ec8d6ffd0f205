-- The statements of a snapshot.
-- @arg snapshot int8
-- @column user_id int8
-- @column query_id int8
-- @column is_top_level bool
-- @column query text
-- @column fingerprint text?
-- @column calls int8
-- @column total_ms float8
-- @column mean_ms float8
-- @column min_ms float8
-- @column max_ms float8
-- @column stddev_ms float8
-- @column row_count int8
-- @column blocks_hit int8
-- @column blocks_read int8
-- @column temp_read int8
-- @column temp_written int8
-- @column wal_bytes float8
-- @column stats_since text
-- @server 14+
SELECT s.user_id, s.query_id, s.is_top_level, s.query, s.fingerprint, s.calls, s.total_ms, s.mean_ms,
       s.min_ms, s.max_ms, s.stddev_ms, s.row_count, s.blocks_hit, s.blocks_read, s.temp_read,
       s.temp_written, s.wal_bytes, s.stats_since
  FROM pgmend.snapshot_statement s
 WHERE s.snapshot = $1
 ORDER BY s.total_ms DESC
