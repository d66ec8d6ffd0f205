-- Ends the other sessions of a database; autovacuum makes room by itself.
-- @arg    database oid
-- @column asked    int8  sessions that were told to end
-- @server 14+
SELECT pg_catalog.count(*) FILTER (WHERE pg_catalog.pg_terminate_backend(a.pid)) AS asked
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datid = $1
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
