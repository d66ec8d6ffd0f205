-- Sessions of others in a database.
-- @arg database text
-- @column pid int4
-- @column application text
-- @server 14+
SELECT a.pid, COALESCE(NULLIF(a.application_name, ''), 'unnamed')
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = $1 AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_type = 'client backend'
 ORDER BY a.pid;
