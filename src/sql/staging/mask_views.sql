-- Materialized views that hold rows, in the order in which they were made: what one rests on is older.
-- @column schema text
-- @column name   text
-- @server 14+
SELECT n.nspname::text AS schema, c.relname::text AS name
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm' AND c.relispopulated
 ORDER BY c.oid
