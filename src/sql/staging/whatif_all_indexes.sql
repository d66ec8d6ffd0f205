-- The indexes that are there, each with the partitioned index that it is a part of.
-- @column id     oid
-- @column schema text
-- @column name   text
-- @column parent oid  0: none
-- @server 14+
SELECT c.oid AS id, n.nspname::text AS schema, c.relname::text AS name,
       coalesce(h.inhparent, 0::pg_catalog.oid) AS parent
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid
 WHERE c.relkind IN ('i', 'I') AND c.oid >= 16384
