-- Foreign keys of one column that the given tables of schema public have.
-- @arg    tables           text[]
-- @column name             text   of the constraint
-- @column relation         text
-- @column attribute        text
-- @column other_schema     text
-- @column other_relation   text
-- @column other_attribute  text
-- @server 14+
SELECT k.conname,
       c.relname,
       a.attname,
       fn.nspname,
       fc.relname,
       fa.attname
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  JOIN pg_catalog.pg_class AS fc ON fc.oid = k.confrelid
  JOIN pg_catalog.pg_namespace AS fn ON fn.oid = fc.relnamespace
  JOIN pg_catalog.pg_attribute AS fa ON fa.attrelid = k.confrelid AND fa.attnum = k.confkey[1]
 WHERE k.contype = 'f'
   AND pg_catalog.cardinality(k.conkey) = 1
   AND n.nspname = 'public'
   AND c.relname = ANY ($1::text[])
 ORDER BY c.relname, k.conname
