-- Stores the user's tables with their sizes and how often they were read from end to end.
-- @arg snapshot int8
-- @server 14+
INSERT INTO pgmend.snapshot_table (snapshot, table_id, schema, name, live_rows, table_bytes, index_bytes,
                                   seq_scans, seq_rows_read, index_scans)
SELECT $1::int8, s.relid, s.schemaname, s.relname, s.n_live_tup,
       pg_catalog.pg_table_size(s.relid), pg_catalog.pg_indexes_size(s.relid),
       coalesce(s.seq_scan, 0), coalesce(s.seq_tup_read, 0), coalesce(s.idx_scan, 0)
  FROM pg_catalog.pg_stat_user_tables s
 WHERE s.schemaname <> 'pgmend'
   AND pg_catalog.pg_table_size(s.relid) IS NOT NULL
