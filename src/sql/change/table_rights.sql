-- Whether the role may change a table, which takes its owner's rights, and make indexes in its schema.
-- @arg table_oid oid
-- @column owner text
-- @column may_own bool
-- @column may_create bool
-- @column is_superuser bool the owner is one: nobody is made a member of it for this
-- @server 14+
SELECT pg_catalog.pg_get_userbyid(c.relowner),
       pg_catalog.pg_has_role(SESSION_USER, c.relowner, 'USAGE'),
       pg_catalog.has_schema_privilege(SESSION_USER, c.relnamespace, 'CREATE'),
       COALESCE((SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.oid = c.relowner), false)
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = $1;
