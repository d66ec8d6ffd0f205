-- Who may do what with a database; no row when it has the standard rights.
-- @arg    name         text
-- @column grantee      text? NULL is everybody
-- @column privilege    text
-- @column is_grantable bool
-- @server 14+
SELECT CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee)::text END AS grantee,
       a.privilege_type AS privilege,
       a.is_grantable
  FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
 WHERE d.datname = $1
 ORDER BY 1, 2
