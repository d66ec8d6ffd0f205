-- How much memory a build may take now, and what the server believes the machine has for its files.
-- @column build_bytes int8 maintenance_work_mem
-- @column cache_bytes int8 effective_cache_size
-- @server 14+
SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) AS build_bytes,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('effective_cache_size')) AS cache_bytes
