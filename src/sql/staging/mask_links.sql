-- Which column refers to which, by foreign keys; and the query that counts the rows that refer to nothing.
-- @column name          text  of the constraint
-- @column schema        text
-- @column table_name    text
-- @column attribute     text
-- @column to_schema     text
-- @column to_table      text
-- @column to_attribute  text
-- @column orphans       text
-- @server 14+
SELECT k.conname::text AS name,
       n.nspname::text AS schema,
       c.relname::text AS table_name,
       a.attname::text AS attribute,
       fn.nspname::text AS to_schema,
       fc.relname::text AS to_table,
       fa.attname::text AS to_attribute,
       (SELECT pg_catalog.format('SELECT count(*) FROM %I.%I AS c WHERE %s AND NOT EXISTS (SELECT 1 FROM %I.%I AS p WHERE %s)',
                   n.nspname, c.relname,
                   pg_catalog.string_agg(pg_catalog.format('c.%I IS NOT NULL', x.attname), ' AND ' ORDER BY j.number),
                   fn.nspname, fc.relname,
                   pg_catalog.string_agg(pg_catalog.format('p.%I::text = c.%I::text', y.attname, x.attname), ' AND ' ORDER BY j.number))
          FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) WITH ORDINALITY AS j (mine, theirs, number)
          JOIN pg_catalog.pg_attribute x ON x.attrelid = k.conrelid AND x.attnum = j.mine
          JOIN pg_catalog.pg_attribute y ON y.attrelid = k.confrelid AND y.attnum = j.theirs) AS orphans
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class fc ON fc.oid = k.confrelid
  JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS e (mine, theirs)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = e.mine
  JOIN pg_catalog.pg_attribute fa ON fa.attrelid = k.confrelid AND fa.attnum = e.theirs
 WHERE k.contype = 'f' AND k.conparentid = 0
 ORDER BY n.nspname, c.relname, k.conname, a.attnum
