-- A table as a change of it needs to know it.
-- @arg schema text
-- @arg name text
-- @column oid oid
-- @column kind text relkind
-- @column rows float8 estimate, -1 when never analysed
-- @column owner text
-- @column may_own bool the role may alter it
-- @column is_partition bool
-- @column has_children bool
-- @server 14+
SELECT c.oid, c.relkind::text, c.reltuples::float8, pg_catalog.pg_get_userbyid(c.relowner),
       pg_catalog.pg_has_role(SESSION_USER, c.relowner, 'USAGE'), c.relispartition,
       EXISTS (SELECT 1 FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = c.oid)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = $1
   AND c.relname = $2;
