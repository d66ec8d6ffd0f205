-- The schemas that hold an alembic_version table.
-- @column schema text
-- @server 14+
SELECT n.nspname::text AS schema
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'version_num' AND NOT a.attisdropped
 WHERE c.relname = 'alembic_version' AND c.relkind = 'r' AND c.relpersistence <> 't'
   AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
 ORDER BY n.nspname
