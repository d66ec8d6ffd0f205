-- The server itself: its role, limits, positions and what our own role may see.
--
-- It is asked first in each tick and puts search_path back to what the session began with (see
-- statements_info.sql, which widens it for one statement).
--
-- @column in_recovery bool
-- @column started_at text when the postmaster started
-- @column started_epoch float8 the same in seconds since 1970
-- @column loaded_epoch float8 when the configuration was read last
-- @column now_epoch float8 the server's clock
-- @column version text
-- @column version_num int4
-- @column datname text the database of this session
-- @column backend_pid int4 of this session
-- @column cluster_name text
-- @column system_identifier text? NULL when the role may not know
-- @column timeline int8 0: not known
-- @column wal_lsn int8 bytes: written, or replayed by a standby
-- @column max_connections int4
-- @column reserved_connections int4 of them for superusers and pg_use_reserved_connections
-- @column connections int4 client sessions that count against max_connections
-- @column max_wal_size int8 bytes
-- @column shared_buffers int8 bytes
-- @column work_mem int8 bytes
-- @column maintenance_work_mem int8 bytes
-- @column effective_cache_size int8 bytes
-- @column block_size int4 bytes
-- @column autovacuum bool
-- @column track_io_timing bool
-- @column track_counts bool
-- @column data_directory text? NULL when the role may not know
-- @column role text ours
-- @column is_superuser bool
-- @column sees_all_stats bool has the rights of pg_read_all_stats
-- @column sees_all_settings bool has the rights of pg_read_all_settings
-- @column search_path text of this session, after this query
-- @server 14+
SELECT r.in_recovery,
       pg_catalog.to_char(r.started, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       EXTRACT(epoch FROM r.started)::float8,
       EXTRACT(epoch FROM pg_catalog.pg_conf_load_time())::float8,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp())::float8,
       pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1),
       pg_catalog.current_setting('server_version_num')::int4,
       pg_catalog.current_database()::text,
       pg_catalog.pg_backend_pid(),
       pg_catalog.current_setting('cluster_name'),
       -- Planned only where the role may: a function that may not be run is an error even unused.
       CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
            THEN pg_catalog.substring(pg_catalog.query_to_xml(
                     'SELECT s.system_identifier AS n FROM pg_catalog.pg_control_system() AS s',
                     false, false, '')::text, '<n>([0-9]+)</n>') END,
       CASE WHEN NOT r.in_recovery
            THEN ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()),
                                           1, 8))::bit(32)::int8
            ELSE COALESCE((SELECT w.received_tli FROM pg_catalog.pg_stat_wal_receiver AS w), 0)::int8
       END,
       COALESCE(pg_catalog.pg_wal_lsn_diff(CASE WHEN r.in_recovery
                                                THEN pg_catalog.pg_last_wal_replay_lsn()
                                                ELSE pg_catalog.pg_current_wal_lsn() END,
                                           '0/0'), 0)::int8,
       pg_catalog.current_setting('max_connections')::int4,
       pg_catalog.current_setting('superuser_reserved_connections')::int4
           + COALESCE(pg_catalog.current_setting('reserved_connections', true), '0')::int4,
       -- Of other roles' sessions a role without rights sees the database, not the kind.
       (SELECT pg_catalog.count(*)::int4
          FROM pg_catalog.pg_stat_get_activity(NULL) AS a
         WHERE a.backend_type = 'client backend' OR a.backend_type IS NULL AND a.datid IS NOT NULL),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem')),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('effective_cache_size')),
       pg_catalog.current_setting('block_size')::int4,
       pg_catalog.current_setting('autovacuum')::bool,
       pg_catalog.current_setting('track_io_timing')::bool,
       pg_catalog.current_setting('track_counts')::bool,
       CASE WHEN r.sees_settings THEN pg_catalog.current_setting('data_directory', true) END,
       SESSION_USER::text,
       COALESCE((SELECT o.rolsuper FROM pg_catalog.pg_roles AS o WHERE o.rolname = SESSION_USER), false),
       pg_catalog.pg_has_role(SESSION_USER, 'pg_read_all_stats', 'USAGE'),
       r.sees_settings,
       r.path
  FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery,
               pg_catalog.pg_postmaster_start_time() AS started,
               pg_catalog.pg_has_role(SESSION_USER, 'pg_read_all_settings', 'USAGE')
                   AS sees_settings,
               pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false) AS path) AS r;
