-- The indexes of those tables, table by table in the order of their names.
-- @arg schemas text[] empty: all but the system's and pgmend
-- @arg held text OIDs of tables to leave out, as an array literal: writing a definition locks the table
-- @column table_oid oid
-- @column oid oid
-- @column schema text
-- @column name text
-- @column method text
-- @column definition text? what follows the table in CREATE INDEX; NULL: it went away just now
-- @column predicate text?
-- @column is_partial bool
-- @column options text?
-- @column tablespace text?
-- @column is_unique bool
-- @column is_primary bool
-- @column is_exclusion bool
-- @column is_constraint bool
-- @column is_replica_identity bool
-- @column is_clustered bool
-- @column is_valid bool
-- @column is_partition_of bool
-- @column bytes int8
-- @column scans int8
-- @column columns text? plain columns that it depends on, as text[]
-- @server 14+
SELECT i.indrelid, c.oid, n.nspname, c.relname, m.amname,
       pg_catalog.substr(pg_catalog.pg_get_indexdef(c.oid), pg_catalog.length(
           'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
           || pg_catalog.quote_ident(c.relname) || ' ON '
           || CASE WHEN c.relkind = 'I' THEN 'ONLY ' ELSE '' END
           || pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname)
           || ' ') + 1),
       pg_catalog.pg_get_expr(i.indpred, i.indrelid), i.indpred IS NOT NULL,
       pg_catalog.array_to_string(c.reloptions, ', '), s.spcname,
       i.indisunique, i.indisprimary, i.indisexclusion,
       EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.oid),
       i.indisreplident, i.indisclustered, i.indisvalid AND i.indisready AND i.indislive, c.relispartition,
       COALESCE(CASE WHEN c.relkind = 'i' THEN pg_catalog.pg_relation_size(c.oid)
                     ELSE GREATEST(c.relpages, 0) * pg_catalog.current_setting('block_size')::int8 END, 0),
       COALESCE(pg_catalog.pg_stat_get_numscans(c.oid), 0),
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid = i.indrelid AND a.attnum > 0
           AND (a.attnum = ANY (i.indkey)
                OR a.attnum IN (SELECT d.refobjsubid FROM pg_catalog.pg_depend AS d
                                 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                                   AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                   AND d.refobjid = i.indrelid)))::text
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
  LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace
 WHERE t.relkind IN ('r', 'm', 'p') AND t.relpersistence <> 't'
   AND tn.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend') AND tn.nspname !~ '^pg_(toast|temp_)'
   AND ($1::text[] = '{}' OR tn.nspname = ANY ($1::text[]))
   AND i.indrelid <> ALL ($2::oid[])
 ORDER BY i.indrelid, c.relname COLLATE "C";
