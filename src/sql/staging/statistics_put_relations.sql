-- Sets rows and pages of the relations of the same names; only on a server of our own.
-- @arg rows json  an array of objects with schema, name, rows, pages and visible
-- @server 14+
UPDATE pg_catalog.pg_class c
   SET reltuples = g.rows, relpages = g.pages, relallvisible = g.visible
  FROM pg_catalog.json_to_recordset($1) AS g (schema text, name text, rows float4, pages int4, visible int4)
  JOIN pg_catalog.pg_namespace n ON n.nspname = g.schema
 WHERE c.relnamespace = n.oid AND c.relname = g.name
