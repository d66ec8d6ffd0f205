-- The tables that a role of this database means by their bare names.
--
-- The search_path is the user's while this runs, so operators are qualified as well.
--
-- @column table_oid  oid
-- @server 14+
SELECT DISTINCT c.oid
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) a.attrelid
  JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
 WHERE t.typname OPERATOR(pg_catalog.=) ANY (ARRAY['vector', 'halfvec']::pg_catalog.name[])
   AND pg_catalog.pg_table_is_visible(c.oid)
