-- Stores the statements of a snapshot, given as an array of JSON objects.
-- @arg snapshot int8
-- @arg statements json
-- @server 14+
INSERT INTO pgmend.snapshot_statement (snapshot, user_id, query_id, is_top_level, query, fingerprint,
       calls, total_ms, mean_ms, min_ms, max_ms, stddev_ms, row_count, blocks_hit, blocks_read,
       temp_read, temp_written, wal_bytes, stats_since)
SELECT $1, s.user_id, s.query_id, s.is_top_level, s.query, s.fingerprint,
       s.calls, s.total_ms, s.mean_ms, s.min_ms, s.max_ms, s.stddev_ms, s.row_count, s.blocks_hit,
       s.blocks_read, s.temp_read, s.temp_written, s.wal_bytes, s.stats_since
  FROM pg_catalog.json_to_recordset($2::json) AS s (
       user_id bigint, query_id bigint, is_top_level boolean, query text, fingerprint text,
       calls bigint, total_ms double precision, mean_ms double precision, min_ms double precision,
       max_ms double precision, stddev_ms double precision, row_count bigint, blocks_hit bigint,
       blocks_read bigint, temp_read bigint, temp_written bigint, wal_bytes double precision,
       stats_since text)
