-- The sequences whose values a dump holds.
-- @column schema    text
-- @column name      text
-- @column increment int8
-- @column can_cycle bool
-- @column may_read  bool
-- @server 14+
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       s.seqincrement AS increment,
       s.seqcycle AS can_cycle,
       pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
           AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_read
  FROM pg_catalog.pg_sequence s
  JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relpersistence <> 't'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
