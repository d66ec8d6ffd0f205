-- The roles that own something in this database or are granted something in it.
-- @column name text
-- @server 14+
SELECT r.rolname::text AS name
  FROM pg_catalog.pg_shdepend d
  JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
 WHERE d.dbid = (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = pg_catalog.current_database())
   AND d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
   AND d.deptype IN ('o', 'a', 'r')
   AND r.rolname !~ '^pg_'
 UNION
SELECT pg_catalog.pg_get_userbyid(c.relowner)::text
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp_)'
 ORDER BY name
