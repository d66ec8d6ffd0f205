-- The indexes of a snapshot.
-- @arg snapshot int8
-- @column index_id oid
-- @column schema text
-- @column table_name text
-- @column name text
-- @column definition text
-- @column is_valid bool
-- @column size_bytes int8
-- @column scans int8
-- @server 14+
SELECT i.index_id, i.schema, i.table_name, i.name, i.definition, i.is_valid, i.size_bytes, i.scans
  FROM pgmend.snapshot_index i
 WHERE i.snapshot = $1
 ORDER BY i.schema, i.table_name, i.name
