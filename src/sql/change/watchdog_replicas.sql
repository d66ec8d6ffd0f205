-- How far each receiver of this server's WAL is.
-- @column pid int4 of its sender
-- @column application text
-- @column behind_bytes float8 what it has not replayed; -1: not known
-- @column replayed float8 its position; -1: not known
-- @column lag_us int8 by the server's own measure; -1: idle, or not known
-- @server 14+
SELECT r.pid, COALESCE(NULLIF(r.application_name, ''), 'unnamed'),
       COALESCE(pg_catalog.pg_wal_lsn_diff(n.lsn, r.replay_lsn)::float8, -1),
       COALESCE(pg_catalog.pg_wal_lsn_diff(r.replay_lsn, '0/0')::float8, -1),
       COALESCE((EXTRACT(epoch FROM r.replay_lag) * 1000000)::int8, -1)
  FROM pg_catalog.pg_stat_replication AS r
 CROSS JOIN (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
                         THEN pg_catalog.pg_last_wal_receive_lsn()
                         ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) AS n
 WHERE r.state = 'streaming'
 ORDER BY r.pid;
