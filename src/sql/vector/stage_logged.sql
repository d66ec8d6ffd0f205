-- Columns with vectors that look like a log or cache of questions, the most telling names first.
-- @arg table_oid    oid    what is searched, and is no log of questions
-- @arg type         text   "vector" or "halfvec"
-- @arg dims         int4
-- @arg table_name   text?  given by the user: only this table,
-- @arg table_schema text?  of this schema,
-- @arg column_name  text?  and this column
-- @column schema      text
-- @column table_name  text
-- @column column_name text
-- @column may_read    bool
-- @column rows        int8   estimate; -1: never analysed
-- @server 14+
SELECT n.nspname::text,
       c.relname::text,
       a.attname::text,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE')
           AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       c.reltuples::pg_catalog.int8
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
 WHERE c.relkind IN ('r', 'p', 'm')
   AND NOT c.relispartition
   AND c.relpersistence <> 't'
   AND n.nspname <> 'pgmend'
   AND c.oid <> $1::oid
   AND a.attnum > 0
   AND NOT a.attisdropped
   AND t.typname = $2::text
   AND (a.atttypmod = $3::int4 OR a.atttypmod <= 0)
   AND CASE WHEN $4::text IS NULL
            THEN c.relname ~* 'query|queries|question|search|cache'
            ELSE c.relname = $4::text
                 AND ($5::text IS NULL OR n.nspname = $5::text)
                 AND a.attname = $6::text END
 ORDER BY n.nspname <> (SELECT s.relnamespace::pg_catalog.regnamespace::text
                          FROM pg_catalog.pg_class AS s WHERE s.oid = $1::oid),
          c.relname !~* 'query|queries|question', c.reltuples DESC, n.nspname, c.relname, a.attname
