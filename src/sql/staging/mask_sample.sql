-- Columns that could hold something personal or secret, by name and type; and of text ones the query that looks at a sample.
-- @column schema    text
-- @column name      text
-- @column attribute text
-- @column type      text
-- @column base      text
-- @column is_unique bool
-- @column is_not_null bool
-- @column is_key    bool  refers to a table or is referred to
-- @column rows      float8 as estimated; -1: not known
-- @column sample    text  shares of sampled values that look like: an address, a phone number, a token, prose, a
--                         name of somebody, something with an address in it
-- @server 14+
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       a.attname::text AS attribute,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       t.typname::text AS base,
       EXISTS (SELECT FROM pg_catalog.pg_index i
                WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey::pg_catalog.int2[])) AS is_unique,
       a.attnotnull AS is_not_null,
       EXISTS (SELECT FROM pg_catalog.pg_constraint k
                WHERE k.contype = 'f' AND (k.conrelid = c.oid AND a.attnum = ANY (k.conkey)
                                           OR k.confrelid = c.oid AND a.attnum = ANY (k.confkey))) AS is_key,
       c.reltuples::pg_catalog.float8 AS rows,
       pg_catalog.format(
           'SELECT /* pgmend */ coalesce(avg((x.v ~ ''^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$'')::int), 0)::float8,'
           ' coalesce(avg((x.v ~ ''^\+?[0-9][0-9 ()/-]{7,18}[0-9]$'' AND x.v !~ ''^[0-9]{4}-[0-9]{2}-'')::int), 0)::float8,'
           ' coalesce(avg((x.v ~ ''^[A-Za-z0-9_:.$/+=-]{24,}$'' AND x.v ~ ''[0-9]'' AND x.v ~ ''[A-Za-z]'' AND x.v !~ ''^https?:''
               AND x.v !~ ''^[0-9a-f]{8}-[0-9a-f]{4}-'')::int), 0)::float8,'
           ' coalesce(avg((x.v ~ ''\S+\s+\S+\s+\S+\s+\S+'')::int), 0)::float8,'
           ' coalesce(avg((x.v ~ ''^[[:upper:]][[:alnum:].-]*([ ][[:upper:]][[:alnum:].-]*){1,3}$'')::int), 0)::float8,'
           ' coalesce(avg((x.v ~ ''[^@"[:space:]]+@[^@"[:space:]]+\.[^@"[:space:]]+'')::int), 0)::float8'
           ' FROM (SELECT pg_catalog.left(%1$I::text, 4000) AS v FROM %2$I.%3$I%4$s WHERE %1$I IS NOT NULL AND %1$I::text <> '''' LIMIT 400) AS x',
           a.attname, n.nspname, c.relname,
           CASE WHEN c.relkind = 'r' AND c.relpages > 2000
                THEN pg_catalog.format(' TABLESAMPLE SYSTEM (%s)', pg_catalog.round(100 * 200.0 / c.relpages, 4)) ELSE '' END) AS sample
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  JOIN pg_catalog.pg_type dt ON dt.oid = a.atttypid
  JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN dt.typtype = 'd' THEN dt.typbasetype ELSE dt.oid END
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
   AND t.typcategory NOT IN ('B', 'D', 'E', 'N', 'P', 'R', 'T') AND t.typname <> 'uuid'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend') AND n.nspname !~ '^pg_(toast|temp_)'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname, a.attnum
