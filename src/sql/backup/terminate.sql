-- Ends the other sessions of a database; autovacuum makes room by itself.
-- @arg    database oid
-- @column asked    int8  sessions of others than pgmend that were told to end
-- @server 14+
SELECT pg_catalog.count(*) FILTER (WHERE e.is_told AND e.application_name NOT LIKE 'pgmend/%') AS asked
  FROM (SELECT pg_catalog.pg_terminate_backend(a.pid) AS is_told, a.application_name
          FROM pg_catalog.pg_stat_activity a
         WHERE a.datid = $1
           AND a.pid <> pg_catalog.pg_backend_pid()
           AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
        OFFSET 0) AS e
