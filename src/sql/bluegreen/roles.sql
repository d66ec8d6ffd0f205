-- The roles that own something here or were granted something.
-- @column name text
-- @server 14+
SELECT DISTINCT r.rolname::text AS name
  FROM pg_catalog.pg_shdepend AS d
  JOIN pg_catalog.pg_roles AS r ON r.oid = d.refobjid
 WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
   AND d.dbid = (SELECT b.oid FROM pg_catalog.pg_database AS b
                  WHERE b.datname = pg_catalog.current_database())
 ORDER BY 1;
