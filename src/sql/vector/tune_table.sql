-- The size of a table's rows, and of the values that stand outside of them.
-- @arg    table_oid   oid
-- @column heap_bytes  int8
-- @column toast_bytes int8
-- @server 14+
SELECT pg_catalog.pg_relation_size(c.oid) AS heap_bytes,
       CASE WHEN c.reltoastrelid OPERATOR(pg_catalog.=) 0 THEN 0
            ELSE pg_catalog.pg_relation_size(c.reltoastrelid) END AS toast_bytes
  FROM pg_catalog.pg_class c
 WHERE c.oid OPERATOR(pg_catalog.=) $1
