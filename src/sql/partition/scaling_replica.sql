-- A standby: how far behind it is and what its replay has cancelled.
-- @column is_standby bool
-- @column lag_bytes float8 received and not yet replayed; NaN: not known
-- @column lag_s float8 since the last transaction that was replayed, 0 when nothing waits; NaN: none yet
-- @column conflicts int8 statements that replay cancelled, of all kinds
-- @column conflicts_snapshot int8 because rows they needed were vacuumed away
-- @column conflicts_lock int8 because of DDL
-- @column max_delay text max_standby_streaming_delay
-- @column feedback text hot_standby_feedback
-- @server 14+
SELECT pg_catalog.pg_is_in_recovery(),
       COALESCE(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(),
                                           pg_catalog.pg_last_wal_replay_lsn())::float8, 'NaN'),
       CASE WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0
            ELSE COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                                             - pg_catalog.pg_last_xact_replay_timestamp())::float8, 'NaN') END,
       (SELECT d.conflicts FROM pg_catalog.pg_stat_database AS d WHERE d.datname = pg_catalog.current_database()),
       (SELECT c.confl_snapshot FROM pg_catalog.pg_stat_database_conflicts AS c
         WHERE c.datname = pg_catalog.current_database()),
       (SELECT c.confl_lock FROM pg_catalog.pg_stat_database_conflicts AS c
         WHERE c.datname = pg_catalog.current_database()),
       pg_catalog.current_setting('max_standby_streaming_delay'), pg_catalog.current_setting('hot_standby_feedback');
