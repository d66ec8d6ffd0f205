-- Ends the session that was seen at a time: a pid can be another session's since.
-- @arg pid int4
-- @arg seen_epoch float8 by the server's clock
-- @column is_done bool
-- @server 14+
SELECT pg_catalog.pg_terminate_backend(a.pid)
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.pid = $1::int4
   AND (a.backend_start IS NULL OR a.backend_start <= pg_catalog.to_timestamp($2::float8));
