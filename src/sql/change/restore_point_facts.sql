-- Whether a named restore point would be of use, and whether it may be set.
-- @column archive_mode  text  off, on, always
-- @column wal_level     text
-- @column is_standby    bool
-- @column may_set       bool
-- @column failing_since text?  archiving fails since then, and nothing was archived since
-- @server 14+
SELECT pg_catalog.current_setting('archive_mode') AS archive_mode,
       pg_catalog.current_setting('wal_level') AS wal_level,
       pg_catalog.pg_is_in_recovery() AS is_standby,
       pg_catalog.has_function_privilege('pg_catalog.pg_create_restore_point(text)', 'EXECUTE') AS may_set,
       CASE WHEN a.last_failed_time > COALESCE(a.last_archived_time, '-infinity')
            THEN pg_catalog.date_trunc('second', a.last_failed_time)::text END AS failing_since
  FROM pg_catalog.pg_stat_archiver a
