-- The tables whose rows a dump holds: not those of extensions, not temporary ones.
-- @column schema         text
-- @column name           text
-- @column may_read       bool
-- @column is_filtered    bool  row-level security hides rows from us
-- @server 14+
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       pg_catalog.has_table_privilege(c.oid, 'SELECT')
           AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_read,
       pg_catalog.row_security_active(c.oid) AS is_filtered
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r'
   AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp_)'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
