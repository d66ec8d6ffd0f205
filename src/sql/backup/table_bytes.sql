-- Bytes of all tables with what is out of line, without indexes: what a dump has to read.
-- @column bytes int8
-- @server 14+
SELECT coalesce(pg_catalog.sum(pg_catalog.pg_table_size(c.oid)), 0)::pg_catalog.int8 AS bytes
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE (c.relkind = 'r' AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND n.nspname !~ '^pg_(toast|temp_)')
    OR c.oid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass
