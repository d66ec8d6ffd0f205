-- Roles, other than the owner, that were given the right to turn a flag off, and whether they may read the
-- table. The right to the function outlives a table that was dropped.
-- @column role text
-- @column may_read bool
-- @server 14+
SELECT coalesce(r.rolname::text, 'PUBLIC'),
       g.grantee = 0 OR coalesce(pg_catalog.has_table_privilege(r.oid, pg_catalog.to_regclass('pgmend.flag'), 'SELECT'), false)
  FROM (SELECT a.grantee
          FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
         CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) AS a
         WHERE n.nspname = 'pgmend' AND p.proname = 'flag_off'
           AND a.privilege_type = 'EXECUTE' AND a.grantee <> p.proowner
         UNION
        SELECT a.grantee
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
         WHERE n.nspname = 'pgmend' AND c.relname = 'flag'
           AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner) AS g
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = g.grantee
 ORDER BY 1;
