-- Where an index is now, whatever its name: for one that was renamed or moved.
-- @arg index_oid oid
-- @arg table_oid oid
-- @column name text schema.name, quoted
-- @server 14+
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE i.indexrelid = $1::oid
   AND i.indrelid = $2::oid;
