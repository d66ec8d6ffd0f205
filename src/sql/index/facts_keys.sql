-- Keys and included columns of the indexes of those tables, in the order of facts_indexes and of the index.
-- @arg schemas text[] empty: all but the system's and pgmend
-- @arg held text OIDs of tables to leave out, as an array literal
-- @column table_oid oid
-- @column index_oid oid
-- @column is_key bool else included
-- @column text text? NULL: the index went away just now
-- @column column_name text?
-- @column opclass text empty for included ones
-- @column is_default_class bool
-- @column collation text empty: the column's own
-- @column is_descending bool
-- @column is_nulls_first bool
-- @server 14+
SELECT i.indrelid, i.indexrelid, k.number <= i.indnkeyatts,
       pg_catalog.pg_get_indexdef(i.indexrelid, k.number, false), a.attname,
       COALESCE(o.opcname, ''), COALESCE(o.opcdefault, true),
       CASE WHEN l.oid IS NULL OR l.oid = COALESCE(a.attcollation, y.typcollation) THEN ''
            ELSE CASE WHEN ln.nspname = 'pg_catalog' THEN '' ELSE pg_catalog.quote_ident(ln.nspname) || '.' END
                 || pg_catalog.quote_ident(l.collname) END,
       COALESCE(i.indoption[k.number - 1], 0) & 1 = 1, COALESCE(i.indoption[k.number - 1], 0) & 2 = 2
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
 CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnatts::int4) AS k (number)
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.number - 1]
        AND i.indkey[k.number - 1] <> 0
  LEFT JOIN pg_catalog.pg_attribute AS e ON e.attrelid = i.indexrelid AND e.attnum = k.number
  LEFT JOIN pg_catalog.pg_type AS y ON y.oid = e.atttypid
  LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[k.number - 1] AND k.number <= i.indnkeyatts
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = i.indcollation[k.number - 1] AND k.number <= i.indnkeyatts
  LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
 WHERE t.relkind IN ('r', 'm', 'p') AND t.relpersistence <> 't'
   AND tn.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend') AND tn.nspname !~ '^pg_(toast|temp_)'
   AND ($1::text[] = '{}' OR tn.nspname = ANY ($1::text[]))
   AND i.indrelid <> ALL ($2::oid[])
 ORDER BY i.indrelid, c.relname COLLATE "C", k.number;
