-- Facts about the server that a roll-out depends on; NULL where the role may not know.
-- @column data_directory text?
-- @column wal_bytes_limit int8 max_wal_size
-- @column temp_tablespaces text
-- @column temp_buffers int8 maintenance_work_mem in bytes
-- @column started_at text
-- @server 14+
SELECT CASE WHEN pg_catalog.pg_has_role(SESSION_USER, 'pg_read_all_settings', 'USAGE')
            THEN pg_catalog.current_setting('data_directory', true) END,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')),
       pg_catalog.current_setting('temp_tablespaces'),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')),
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time(), 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
