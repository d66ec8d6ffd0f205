-- Standbys and other receivers of this server's WAL, and slots that nobody reads.
-- @column what text "receiver", "slot" or "synchronous": a commit waits for a standby that is not there
-- @column name text
-- @column state text? of a receiver, as the server says it; of a slot: its wal_status; NULL: the role may not see it
-- @column lag int8 microseconds until it had replayed what was written; 0: idle, or not known
-- @column silent int8 microseconds since its last message
-- @column bytes int8 of WAL that it has still to replay, or that the slot keeps
-- @server 14+
SELECT 'receiver',
       COALESCE(NULLIF(r.application_name, ''), 'pid ' || r.pid),
       r.state,
       (COALESCE(EXTRACT(epoch FROM COALESCE(r.replay_lag, r.flush_lag)), 0) * 1000000)::int8,
       (COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - r.reply_time), 0) * 1000000)::int8,
       COALESCE(GREATEST(pg_catalog.pg_wal_lsn_diff(n.lsn, COALESCE(r.replay_lsn, r.flush_lsn, r.sent_lsn)), 0), 0)::int8
  FROM pg_catalog.pg_stat_replication AS r
 CROSS JOIN (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
                         THEN COALESCE(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
                         ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) AS n
UNION ALL
SELECT 'slot', s.slot_type || ' slot ' || s.slot_name, COALESCE(s.wal_status, 'reserved'), 0, 0,
       COALESCE(GREATEST(pg_catalog.pg_wal_lsn_diff(n.lsn, s.restart_lsn), 0), 0)::int8
  FROM pg_catalog.pg_replication_slots AS s
 CROSS JOIN (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
                         THEN COALESCE(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
                         ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) AS n
 WHERE NOT s.active AND NOT s.temporary
   AND (s.restart_lsn IS NOT NULL OR s.wal_status = 'lost')
UNION ALL
SELECT 'synchronous', t.setting, NULL, 0, 0, 0
  FROM pg_catalog.pg_settings AS t
 WHERE t.name = 'synchronous_standby_names' AND pg_catalog.btrim(t.setting) <> ''
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_replication AS r
                    WHERE r.sync_state IN ('sync', 'quorum') OR r.state IS NULL)
 ORDER BY 1, 2;
