-- Stores the indexes of the user's tables with their sizes and how often they were scanned.
-- @arg snapshot int8
-- @server 14+
INSERT INTO pgmend.snapshot_index (snapshot, index_id, schema, table_name, name, definition, is_valid,
                                   size_bytes, scans, tuples_read)
SELECT $1::int8, s.indexrelid, s.schemaname, s.relname, s.indexrelname,
       pg_catalog.pg_get_indexdef(s.indexrelid), i.indisvalid,
       pg_catalog.pg_relation_size(s.indexrelid),
       coalesce(s.idx_scan, 0), coalesce(s.idx_tup_read, 0)
  FROM pg_catalog.pg_stat_user_indexes s
  JOIN pg_catalog.pg_index i ON i.indexrelid = s.indexrelid
 WHERE s.schemaname <> 'pgmend'
   AND pg_catalog.pg_relation_size(s.indexrelid) IS NOT NULL
