-- The approximate indexes of a table.
-- @arg table_oid oid
-- @column name text
-- @server 14+
SELECT c.relname::text AS name
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
 WHERE i.indrelid = $1::oid
   AND a.amname IN ('hnsw', 'ivfflat')
