-- What stands under a name where a staging copy is to be.
-- @arg    name        text
-- @column comment     text? of the database
-- @column is_template bool
-- @server 14+
SELECT pg_catalog.shobj_description(d.oid, 'pg_database') AS comment, d.datistemplate AS is_template
  FROM pg_catalog.pg_database d
 WHERE d.datname = $1
