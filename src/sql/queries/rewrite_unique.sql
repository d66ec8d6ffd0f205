-- Columns of a table of which no two rows have the same, all of them together: one row a unique index.
-- @arg    schema_name  text   '': as the search path finds it
-- @arg    table_name   text
-- @column columns      json   names
-- @server 14+
SELECT pg_catalog.json_agg(a.attname)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid
 CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) AS k (place)
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[k.place]
 WHERE c.relname = $2
   AND CASE WHEN $1 = '' THEN pg_catalog.pg_table_is_visible(c.oid)
            ELSE c.relnamespace = (SELECT s.oid FROM pg_catalog.pg_namespace AS s WHERE s.nspname = $1) END
   AND (c.relkind = 'p' OR c.relkind = 'r' AND NOT c.relhassubclass)
   AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
 GROUP BY i.indexrelid
 ORDER BY i.indexrelid
