-- The tables of a snapshot.
-- @arg snapshot int8
-- @column table_id oid
-- @column schema text
-- @column name text
-- @column live_rows int8
-- @column table_bytes int8
-- @column index_bytes int8
-- @column seq_scans int8
-- @column seq_rows_read int8
-- @column index_scans int8
-- @server 14+
SELECT t.table_id, t.schema, t.name, t.live_rows, t.table_bytes, t.index_bytes, t.seq_scans,
       t.seq_rows_read, t.index_scans
  FROM pgmend.snapshot_table t
 WHERE t.snapshot = $1
 ORDER BY t.schema, t.name
