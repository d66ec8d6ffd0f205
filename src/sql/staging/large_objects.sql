-- How many large objects there are, and whether we may read their pages.
-- @column count    int8
-- @column may_read bool
-- @server 14+
SELECT pg_catalog.count(*) AS count,
       pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')
           AND (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS may_read
  FROM pg_catalog.pg_largeobject_metadata
