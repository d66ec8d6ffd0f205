-- What the server counts for this database and for itself, to be subtracted from a later look.
-- @column server_start    float8 seconds since 1970
-- @column stats_reset     float8 seconds since 1970; NaN: never
-- @column transactions    int8
-- @column blocks_hit      int8
-- @column blocks_read     int8
-- @column temp_bytes      int8
-- @column deadlocks       int8
-- @column wal_bytes       float8 position in the WAL; NaN: a standby writes none
-- @column checkpoints     int8
-- @column data_directory  text? NULL: the role may not see it
-- @server 14+
SELECT EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::float8 AS pgmend_load_counters,
       COALESCE(EXTRACT(epoch FROM d.stats_reset)::float8, 'NaN'),
       d.xact_commit + d.xact_rollback, d.blks_hit, d.blks_read, d.temp_bytes, d.deadlocks,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'NaN'::float8
            ELSE (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8
            END,
       c.num_timed + c.num_requested,
       CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
            THEN pg_catalog.current_setting('data_directory', true)
            END
  FROM pg_catalog.pg_stat_database AS d
 CROSS JOIN pg_catalog.pg_stat_checkpointer AS c
 WHERE d.datname = pg_catalog.current_database();
