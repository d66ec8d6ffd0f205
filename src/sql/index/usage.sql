-- How often an index was used since the statistics were last reset.
-- @arg index_oid oid
-- @column scans int8
-- @server 14+
SELECT COALESCE(s.idx_scan, 0)
  FROM pg_catalog.pg_stat_all_indexes AS s
 WHERE s.indexrelid = $1::oid;
