-- A column by the table's name as a statement has it, and what it refers to by a foreign key of its own.
-- @arg    relation   text   as to_regclass() takes it
-- @arg    name       text   of the column
-- @column table_name text   qualified, quoted
-- @column type       text
-- @column category   text   pg_type.typcategory: S text, N number
-- @column rows       float8 estimate; -1: never analysed
-- @column ref_table  text?  qualified, quoted
-- @column ref_column text?
-- @column ref_rows   float8
-- @server 14+
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname),
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       t.typcategory::pg_catalog.text,
       c.reltuples::pg_catalog.float8,
       CASE WHEN r.oid IS NOT NULL THEN pg_catalog.format('%I.%I', rn.nspname, r.relname) END,
       ra.attname::pg_catalog.text,
       COALESCE(r.reltuples, 0)::pg_catalog.float8
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_constraint AS k
    ON k.conrelid = a.attrelid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]::pg_catalog.int2[]
  LEFT JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
  LEFT JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
  LEFT JOIN pg_catalog.pg_attribute AS ra ON ra.attrelid = r.oid AND ra.attnum = k.confkey[1]
 WHERE a.attrelid = pg_catalog.to_regclass($1)
   AND a.attname = $2
   AND a.attnum > 0
   AND NOT a.attisdropped
 ORDER BY k.conname NULLS LAST
 LIMIT 1
