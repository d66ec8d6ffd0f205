-- How an index that was promised something stands now.
-- @arg schema text
-- @arg name text
-- @column is_valid bool valid, ready and live
-- @column scans int8 since the statistics were reset
-- @column bytes int8
-- @server 14+
SELECT i.indisvalid AND i.indisready AND i.indislive, COALESCE(s.idx_scan, 0),
       COALESCE(pg_catalog.pg_relation_size(i.indexrelid), 0)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = i.indexrelid
 WHERE n.nspname = $1
   AND c.relname = $2;
