-- Begins a snapshot: the server's state, and the settings that plans and times depend on.
-- @arg name text
-- @arg taken_at text
-- @arg server_start text
-- @arg stats_reset text?
-- @arg evicted int8
-- @arg most_entries int8
-- @arg hidden int8
-- @column id int8
-- @server 14+
INSERT INTO pgmend.snapshot (name, taken_at, server_start, server_version, stats_reset, evicted,
                             most_entries, hidden, database_reset, settings)
SELECT $1, $2::timestamptz, $3::timestamptz, pg_catalog.current_setting('server_version'),
       $4::timestamptz, $5::int8, $6::int8, $7::int8,
       (SELECT d.stats_reset
          FROM pg_catalog.pg_stat_database d
         WHERE d.datname = pg_catalog.current_database()),
       (SELECT pg_catalog.json_object_agg(s.name, pg_catalog.current_setting(s.name) ORDER BY s.name)
          FROM pg_catalog.pg_settings s
         WHERE s.name IN ('shared_buffers', 'effective_cache_size', 'work_mem', 'maintenance_work_mem',
                          'random_page_cost', 'seq_page_cost', 'effective_io_concurrency',
                          'max_parallel_workers', 'max_parallel_workers_per_gather',
                          'max_parallel_maintenance_workers', 'jit', 'plan_cache_mode',
                          'default_statistics_target', 'track_io_timing', 'pg_stat_statements.max',
                          'pg_stat_statements.track', 'enable_seqscan', 'enable_indexscan',
                          'enable_bitmapscan', 'autovacuum', 'fsync', 'synchronous_commit',
                          'max_connections'))
RETURNING id
