-- Columns of range types of tables that have rows: before 17 no view shows what ANALYZE found in them.
-- @column columns int8
-- @column example text?  schema.table.column
-- @server 14+
SELECT pg_catalog.count(*) AS columns,
       pg_catalog.min(pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname)) AS example
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typtype IN ('r', 'm')
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'm', 'p') AND c.reltuples > 0
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE a.attnum > 0 AND NOT a.attisdropped
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
