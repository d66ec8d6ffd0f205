-- Our own session, in the words that name a scratch database after its owner.
-- @column pid     int4
-- @column started int8  microseconds since 1970
-- @server 14+
SELECT a.pid, (extract(epoch FROM a.backend_start) * 1000000)::pg_catalog.int8 AS started
  FROM pg_catalog.pg_stat_activity a
 WHERE a.pid = pg_catalog.pg_backend_pid()
