-- Sessions in a database, without our own.
-- @arg    name        text
-- @column pid         int4
-- @column account     text
-- @column application text
-- @column state       text
-- @server 14+
SELECT a.pid,
       coalesce(a.usename::text, a.backend_type, '?') AS account,
       coalesce(nullif(a.application_name, ''), 'no application name') AS application,
       coalesce(a.state, 'unknown state') AS state
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname = $1 AND a.pid <> pg_catalog.pg_backend_pid()
 ORDER BY a.pid
