-- Settings that change plans or how constants are read, as the application's sessions have them: of the server, role and database.
-- @column name  text
-- @column value text
-- @server 14+
SELECT s.name, s.reset_val AS value
  FROM pg_catalog.pg_settings s
 WHERE s.reset_val IS NOT NULL AND s.context = 'user'
   AND (s.category LIKE 'Query Tuning%'
        OR s.name IN ('work_mem', 'hash_mem_multiplier', 'temp_buffers', 'max_parallel_workers',
                      'max_parallel_workers_per_gather', 'parallel_leader_participation', 'TimeZone', 'DateStyle',
                      'IntervalStyle', 'default_text_search_config', 'array_nulls', 'transform_null_equals',
                      'standard_conforming_strings',
                      'effective_io_concurrency')
        OR s.name ~ '^(hnsw|ivfflat|pg_trgm)\.')
 ORDER BY s.name
