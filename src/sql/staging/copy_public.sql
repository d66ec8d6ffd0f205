-- Whether everybody may connect to this database.
-- @column may_connect bool
-- @server 14+
SELECT coalesce((SELECT pg_catalog.bool_or(x.privilege_type = 'CONNECT')
                   FROM pg_catalog.aclexplode(d.datacl) x
                  WHERE x.grantee = 0), d.datacl IS NULL) AS may_connect
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
