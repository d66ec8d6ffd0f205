-- Roles whose password is stored as an MD5 hash. Superusers alone may look.
-- @column name text
-- @server 14+
SELECT a.rolname
  FROM pg_catalog.pg_authid AS a
 WHERE a.rolcanlogin AND a.rolpassword LIKE 'md5%'
 ORDER BY 1;
