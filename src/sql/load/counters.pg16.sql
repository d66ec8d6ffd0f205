-- The checkpointer's counters stood in pg_stat_bgwriter.
SELECT EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::float8 AS pgmend_load_counters,
       COALESCE(EXTRACT(epoch FROM d.stats_reset)::float8, 'NaN'),
       d.xact_commit + d.xact_rollback, d.blks_hit, d.blks_read, d.temp_bytes, d.deadlocks,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'NaN'::float8
            ELSE (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8
            END,
       c.checkpoints_timed + c.checkpoints_req,
       CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
            THEN pg_catalog.current_setting('data_directory', true)
            END
  FROM pg_catalog.pg_stat_database AS d
 CROSS JOIN pg_catalog.pg_stat_bgwriter AS c
 WHERE d.datname = pg_catalog.current_database();
