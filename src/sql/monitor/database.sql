-- pg_stat_database of every database that there is, with its limits.
-- @column datid text
-- @column datname text
-- @column is_template bool
-- @column allows_connections bool
-- @column connection_limit int4 -1: none
-- @column numbackends int4
-- @column xact_commit int8
-- @column xact_rollback int8
-- @column blks_read int8
-- @column blks_hit int8
-- @column tup_returned int8
-- @column tup_fetched int8
-- @column tup_inserted int8
-- @column tup_updated int8
-- @column tup_deleted int8
-- @column conflicts int8
-- @column temp_files int8
-- @column temp_bytes int8
-- @column deadlocks int8
-- @column checksum_failures float8 NaN: checksums are off
-- @column blk_read_time float8 ms
-- @column blk_write_time float8 ms
-- @column session_time float8 ms
-- @column active_time float8 ms
-- @column idle_in_transaction_time float8 ms
-- @column sessions int8
-- @column sessions_abandoned int8
-- @column sessions_fatal int8
-- @column sessions_killed int8
-- @column confl_tablespace int8 statements that replay cancelled on a standby, as the next four
-- @column confl_lock int8
-- @column confl_snapshot int8
-- @column confl_bufferpin int8
-- @column confl_deadlock int8
-- @column stats_reset float8 seconds since 1970; NaN: never
-- @server 14+
SELECT d.oid::text, d.datname::text, d.datistemplate, d.datallowconn, d.datconnlimit,
       pg_catalog.pg_stat_get_db_numbackends(d.oid),
       s.xact_commit, s.xact_rollback, s.blks_read, s.blks_hit,
       s.tup_returned, s.tup_fetched, s.tup_inserted, s.tup_updated, s.tup_deleted,
       s.conflicts, s.temp_files, s.temp_bytes, s.deadlocks,
       COALESCE(s.checksum_failures, 'NaN'::float8),
       s.blk_read_time, s.blk_write_time,
       s.session_time, s.active_time, s.idle_in_transaction_time,
       s.sessions, s.sessions_abandoned, s.sessions_fatal, s.sessions_killed,
       pg_catalog.pg_stat_get_db_conflict_tablespace(d.oid),
       pg_catalog.pg_stat_get_db_conflict_lock(d.oid),
       pg_catalog.pg_stat_get_db_conflict_snapshot(d.oid),
       pg_catalog.pg_stat_get_db_conflict_bufferpin(d.oid),
       pg_catalog.pg_stat_get_db_conflict_startup_deadlock(d.oid),
       COALESCE(EXTRACT(epoch FROM s.stats_reset)::float8, 'NaN')
  FROM pg_catalog.pg_database AS d
  JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
 ORDER BY d.datname;
