-- Who holds the run lock of this database.
-- @column pid int4
-- @column application text
-- @column address text host or "local"
-- @column since text
-- @column age int8 microseconds since its statement began
-- @column query text
-- @server 14+
SELECT a.pid,
       COALESCE(a.application_name, ''),
       COALESCE(pg_catalog.host(a.client_addr), 'local'),
       COALESCE(pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ''),
       COALESCE((EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.query_start) * 1000000)::int8,
                0),
       COALESCE(a.query, '')
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'advisory'
   AND l.classid = 1885826404
   AND l.objid = 1
   AND l.objsubid = 2
   AND l.granted
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                      WHERE d.datname = pg_catalog.current_database());
