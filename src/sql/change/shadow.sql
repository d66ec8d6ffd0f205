-- The index that was just made on the empty temporary copy of a table, as the server writes it.
-- @arg name text
-- @arg schema text of the real table
-- @arg table_name text
-- @column is_unique bool
-- @column definition text what follows the table in CREATE INDEX
-- @column keys text the key columns and expressions, as a JSON array
-- @column predicate text? of a partial index
-- @column nulls_distinct bool
-- @column access_method text
-- @column key_width int8 bytes a key takes on average, as far as the statistics of the table tell
-- @server 14+
SELECT i.indisunique,
       -- Servers before 15 write the true name of the temporary schema.
       pg_catalog.substr(pg_catalog.pg_get_indexdef(c.oid), pg_catalog.length(
           'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
           || pg_catalog.quote_ident(c.relname) || ' ON '
           || CASE WHEN pg_catalog.starts_with(pg_catalog.pg_get_indexdef(c.oid),
                        'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
                        || 'INDEX ' || pg_catalog.quote_ident(c.relname) || ' ON pg_temp.')
                   THEN 'pg_temp' ELSE pg_catalog.quote_ident(n.nspname) END
           || '.' || pg_catalog.quote_ident(t.relname) || ' ') + 1),
       (SELECT pg_catalog.json_agg(pg_catalog.pg_get_indexdef(c.oid, k, false) ORDER BY k)::text
          FROM pg_catalog.generate_series(1, i.indnkeyatts) AS k),
       pg_catalog.pg_get_expr(i.indpred, i.indrelid),
       COALESCE(NOT (pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, true),
       m.amname,
       COALESCE((SELECT pg_catalog.sum(CASE WHEN a.attlen > 0 THEN a.attlen
                                            ELSE COALESCE(s.avg_width, 32) END)
                   FROM pg_catalog.pg_attribute AS a
                   LEFT JOIN pg_catalog.pg_attribute AS o
                     ON o.attrelid = i.indrelid AND o.attnum = i.indkey[a.attnum - 1]
                   LEFT JOIN pg_catalog.pg_stats AS s
                     ON s.schemaname = $2 AND s.tablename = $3 AND s.attname = o.attname
                    AND NOT s.inherited
                  WHERE a.attrelid = c.oid AND a.attnum > 0), 0)::int8
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
 WHERE c.relname = $1
   AND c.relnamespace = pg_catalog.pg_my_temp_schema();
