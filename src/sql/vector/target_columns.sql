-- Columns of the types of pgvector in tables, largest table first.
--
-- Those that an earlier plan of ours keeps beside the user's own are left out: a trigger with our
-- name and body fills them.
--
-- @column schema       text
-- @column table_name   text
-- @column table_oid    oid
-- @column kind         text   r: an ordinary table, p: a partitioned one
-- @column column_name  text
-- @column type         text
-- @column dims         int4   0: any number
-- @column storage      text
-- @column is_nullable  bool
-- @column rows         int8   estimate; -1: never analysed
-- @column table_bytes  int8
-- @column toast_bytes  int8
-- @column key          text?  column of the primary key, of one column
-- @column key_type     text?
-- @column may_read     bool
-- @column is_partition bool   of another table
-- @server 14+
SELECT n.nspname,
       c.relname,
       c.oid,
       c.relkind::pg_catalog.text,
       a.attname,
       t.typname,
       GREATEST(a.atttypmod, 0),
       CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                         WHEN 'm' THEN 'main' ELSE 'extended' END,
       NOT a.attnotnull,
       c.reltuples::pg_catalog.int8,
       pg_catalog.pg_relation_size(c.oid),
       COALESCE(pg_catalog.pg_relation_size(NULLIF(c.reltoastrelid, 0)), 0),
       k.attname,
       pg_catalog.format_type(k.atttypid, k.atttypmod),
       pg_catalog.has_schema_privilege(n.oid, 'USAGE')
           AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       c.relispartition
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_extension AS e ON e.extname = 'vector'
  JOIN pg_catalog.pg_depend AS d
    ON d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid
   AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
  LEFT JOIN pg_catalog.pg_index AS i
    ON i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
  LEFT JOIN pg_catalog.pg_attribute AS k ON k.attrelid = c.oid AND k.attnum = i.indkey[0]
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND t.typname IN ('vector', 'halfvec')
   AND a.attnum > 0
   AND NOT a.attisdropped
   AND n.nspname <> 'pgmend'
   AND NOT EXISTS (SELECT 1
                     FROM pg_catalog.pg_trigger AS g
                     JOIN pg_catalog.pg_proc AS p ON p.oid = g.tgfoid
                    WHERE g.tgrelid = c.oid
                      AND NOT g.tgisinternal
                      AND p.proname = g.tgname
                      AND pg_catalog.starts_with(g.tgname, pg_catalog.left(c.relname, 10))
                      -- Names that would be too long end in a digest.
                      AND (a.attname ~ '_(half|plain)$' OR pg_catalog.octet_length(a.attname::pg_catalog.text) > 55)
                      AND pg_catalog.starts_with(p.prosrc, E'\nBEGIN\n    NEW.'
                              || pg_catalog.quote_ident(a.attname) || ' := ')
                      AND p.prosrc LIKE E'%;\n    RETURN NEW;\nEND\n')
 ORDER BY pg_catalog.pg_table_size(c.oid) DESC, n.nspname, c.relname, a.attnum
