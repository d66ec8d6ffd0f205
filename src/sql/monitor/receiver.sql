-- This server as a standby: one row, all zero on a primary.
-- @column is_replica int4 1 or 0
-- @column lag_seconds float8 0 when all that was received is replayed; NaN: not known
-- @column last_replay_seconds float8 since the last replayed transaction ended; NaN: none yet
-- @column replay_gap_bytes float8 received and not yet replayed; NaN: nothing was received
-- @column is_paused bool
-- @column status text? of the WAL receiver; NULL: there is none
-- @column sender_host text?
-- @column message_age_seconds float8 since the primary's last message; NaN: not known
-- @column conflicts int8 statements cancelled by replay, all databases
-- @server 14+
SELECT r.is_replica::int4,
       CASE WHEN NOT r.is_replica OR r.received = r.replayed THEN 0
            ELSE COALESCE(GREATEST(0, EXTRACT(epoch FROM pg_catalog.clock_timestamp() - r.last))::float8,
                          'NaN') END,
       COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - r.last)::float8, 'NaN'),
       COALESCE(GREATEST(pg_catalog.pg_wal_lsn_diff(r.received, r.replayed), 0)::float8, 'NaN'),
       CASE WHEN r.is_replica THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END,
       w.status, w.sender_host,
       COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - w.last_msg_receipt_time)::float8, 'NaN'),
       COALESCE((SELECT pg_catalog.sum(d.conflicts) FROM pg_catalog.pg_stat_database AS d), 0)::int8
  FROM (SELECT pg_catalog.pg_is_in_recovery() AS is_replica,
               pg_catalog.pg_last_wal_receive_lsn() AS received,
               pg_catalog.pg_last_wal_replay_lsn() AS replayed,
               pg_catalog.pg_last_xact_replay_timestamp() AS last) AS r
  LEFT JOIN pg_catalog.pg_stat_wal_receiver AS w ON true;
