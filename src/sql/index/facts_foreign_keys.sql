-- The foreign keys of those tables, table by table, with how often the rows they point to go away.
-- @arg schemas text[] empty: all but the system's and pgmend
-- @column table_oid oid
-- @column name text
-- @column columns text as text[], in the key's order
-- @column target text
-- @column target_deletes float8 deletes, and updates that may have changed the key
-- @server 14+
SELECT k.conrelid, k.conname,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY p.position)
          FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS p (number, position)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = p.number)::text,
       pg_catalog.quote_ident(rn.nspname) || '.' || pg_catalog.quote_ident(r.relname),
       (COALESCE(pg_catalog.pg_stat_get_tuples_deleted(r.oid), 0)
        + GREATEST(COALESCE(pg_catalog.pg_stat_get_tuples_updated(r.oid), 0)
                   - COALESCE(pg_catalog.pg_stat_get_tuples_hot_updated(r.oid), 0), 0))::float8
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS t ON t.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
  JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
  JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
  LEFT JOIN pg_catalog.pg_constraint AS above ON above.oid = k.conparentid
 WHERE k.contype = 'f'
   -- A key that points to a partitioned table has a helper for each partition, of the same referencing table.
   AND (above.oid IS NULL OR above.conrelid <> k.conrelid)
   AND t.relkind IN ('r', 'p')
   AND tn.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend') AND tn.nspname !~ '^pg_(toast|temp_)'
   AND ($1::text[] = '{}' OR tn.nspname = ANY ($1::text[]))
 ORDER BY k.conrelid, k.conname COLLATE "C";
