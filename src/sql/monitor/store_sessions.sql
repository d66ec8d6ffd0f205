-- Sessions of monitors that keep what they measure in this database.
-- @column pid int4
-- @column role text
-- @column address text host or "local"
-- @server 14+
SELECT a.pid, COALESCE(a.usename, '')::text, COALESCE(pg_catalog.host(a.client_addr), 'local')
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = pg_catalog.current_database()
   AND a.application_name = 'pgmend/monitor store'
 ORDER BY a.pid;
