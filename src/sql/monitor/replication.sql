-- Standbys and other receivers of this server's WAL.
-- @column pid int4
-- @column application_name text
-- @column client_addr text
-- @column state text
-- @column sync_state text
-- @column slot_name text empty without a slot
-- @column usename text
-- @column lsn_bytes float8 this server's position; NaN: not known, as below
-- @column sent_lag_bytes float8
-- @column flush_lag_bytes float8
-- @column replay_lag_bytes float8
-- @column write_lag_seconds float8 NaN: idle, or not known
-- @column flush_lag_seconds float8
-- @column replay_lag_seconds float8
-- @column reply_age_seconds float8 since its last message
-- @server 14+
SELECT r.pid, COALESCE(r.application_name, ''), COALESCE(pg_catalog.host(r.client_addr), ''),
       COALESCE(r.state, ''), COALESCE(r.sync_state, ''),
       COALESCE((SELECT s.slot_name::text FROM pg_catalog.pg_replication_slots AS s
                  WHERE s.active_pid = r.pid), ''),
       COALESCE(r.usename::text, ''),
       COALESCE(pg_catalog.pg_wal_lsn_diff(n.lsn, '0/0')::float8, 'NaN'),
       COALESCE(pg_catalog.pg_wal_lsn_diff(n.lsn, r.sent_lsn)::float8, 'NaN'),
       COALESCE(pg_catalog.pg_wal_lsn_diff(n.lsn, r.flush_lsn)::float8, 'NaN'),
       COALESCE(pg_catalog.pg_wal_lsn_diff(n.lsn, r.replay_lsn)::float8, 'NaN'),
       COALESCE(EXTRACT(epoch FROM r.write_lag)::float8, 'NaN'),
       COALESCE(EXTRACT(epoch FROM r.flush_lag)::float8, 'NaN'),
       COALESCE(EXTRACT(epoch FROM r.replay_lag)::float8, 'NaN'),
       COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - r.reply_time)::float8, 'NaN')
  FROM pg_catalog.pg_stat_replication AS r
 CROSS JOIN (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
                         THEN pg_catalog.pg_last_wal_receive_lsn()
                         ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) AS n
 ORDER BY r.application_name, r.pid;
