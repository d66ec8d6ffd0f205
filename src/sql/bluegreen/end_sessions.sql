-- Ends the sessions that sessions.sql shows; all: those of replication and other pgmends too.
-- @arg database oid
-- @arg all bool
-- @column ended int8
-- @server 14+
SELECT pg_catalog.count(*) FILTER (WHERE pg_catalog.pg_terminate_backend(a.pid)) AS ended
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datid = $1 AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
   AND ($2 OR (a.backend_type = 'client backend' AND a.application_name NOT LIKE 'pgmend/%'));
