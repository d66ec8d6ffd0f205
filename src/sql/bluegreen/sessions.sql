-- The sessions of a database, without those of pgmend, of replication and of the server itself.
-- @arg database oid
-- @column pid int4
-- @column role text
-- @column application text
-- @column address text
-- @column state text
-- @server 14+
SELECT a.pid, COALESCE(a.usename, '')::text AS role, COALESCE(a.application_name, '') AS application,
       COALESCE(pg_catalog.host(a.client_addr), 'local') AS address, COALESCE(a.state, '') AS state
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datid = $1 AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.backend_type = 'client backend'
   AND a.application_name NOT LIKE 'pgmend/%'
 ORDER BY a.pid;
