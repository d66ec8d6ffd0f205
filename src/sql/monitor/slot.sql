-- Replication slots and the WAL they keep, the most first.
-- @column slot_name text
-- @column slot_type text
-- @column datname text empty for a physical slot
-- @column plugin text?
-- @column active int4 1 or 0
-- @column is_temporary bool
-- @column wal_status text? reserved, extended, unreserved or lost
-- @column current_lsn_bytes float8 this server's position
-- @column confirmed_flush_lsn_bytes float8 NaN: physical
-- @column retained_bytes float8 NaN: it keeps nothing yet
-- @column safe_wal_size float8 bytes until it is in danger; NaN: no limit is set
-- @column xmin_age int8 transactions that vacuum must keep for it; 0: none
-- @column inactive_seconds float8 NaN: active, or not known (before 17)
-- @column invalid_reason text? why it cannot be used any more (from 16 on)
-- @server 14+
-- What newer servers have is read by way of jsonb, so that one text serves all.
SELECT s.slot_name::text, s.slot_type, COALESCE(s.database::text, ''), s.plugin::text,
       s.active::int4, s.temporary, s.wal_status,
       COALESCE(pg_catalog.pg_wal_lsn_diff(n.lsn, '0/0')::float8, 'NaN'),
       COALESCE(pg_catalog.pg_wal_lsn_diff(s.confirmed_flush_lsn, '0/0')::float8, 'NaN'),
       COALESCE(GREATEST(pg_catalog.pg_wal_lsn_diff(n.lsn, s.restart_lsn), 0)::float8, 'NaN'),
       COALESCE(s.safe_wal_size::float8, 'NaN'),
       GREATEST(COALESCE(pg_catalog.age(s.xmin), 0), COALESCE(pg_catalog.age(s.catalog_xmin), 0))::int8,
       COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                                   - (j.slot ->> 'inactive_since')::timestamptz)::float8, 'NaN'),
       COALESCE(j.slot ->> 'invalidation_reason',
                CASE WHEN (j.slot ->> 'conflicting')::bool THEN 'conflicting' END)
  FROM pg_catalog.pg_replication_slots AS s
 CROSS JOIN LATERAL pg_catalog.to_jsonb(s.*) AS j (slot)
 CROSS JOIN (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
                         THEN COALESCE(pg_catalog.pg_last_wal_receive_lsn(),
                                       pg_catalog.pg_last_wal_replay_lsn())
                         ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) AS n
 ORDER BY 10 DESC, s.slot_name;
