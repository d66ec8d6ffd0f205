-- Columns of the given tables of schema public; no row for a table that does not exist.
-- @arg    tables       text[]
-- @column relation     text
-- @column name         text
-- @column type         text   the type's own name: int4, varchar
-- @column is_required  bool   not null, and nothing gives it a value
-- @server 14+
SELECT c.relname,
       a.attname,
       t.typname,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
 WHERE n.nspname = 'public'
   AND c.relkind IN ('r', 'p')
   AND c.relname = ANY ($1::text[])
 ORDER BY c.relname, a.attnum
