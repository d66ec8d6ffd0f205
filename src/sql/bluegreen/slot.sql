-- A replication slot: how far its reader is, and how much WAL it keeps.
-- @arg name text
-- @column is_active bool
-- @column lag_bytes int8 not confirmed by the reader yet
-- @column held_bytes int8 of WAL kept for it
-- @column wal_status text
-- @column confirmed text LSN
-- @server 14+
SELECT s.active AS is_active,
       GREATEST(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), s.confirmed_flush_lsn), 0)::int8
           AS lag_bytes,
       GREATEST(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), s.restart_lsn), 0)::int8
           AS held_bytes,
       COALESCE(s.wal_status, 'lost') AS wal_status,
       COALESCE(s.confirmed_flush_lsn::text, '') AS confirmed
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.slot_name = $1;
