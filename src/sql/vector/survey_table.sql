-- What the server knows about the upkeep of a table.
-- @arg    table_oid        oid
-- @column is_analysed      bool   there are statistics that this role may see
-- @column modified         int8   rows that changed since then
-- @column work_mem_kb      int8   maintenance_work_mem
-- @column parallel         int4   max_parallel_maintenance_workers
-- @column is_row_security  bool   hides rows from this role
-- @column hnsw_ef          int4   hnsw.ef_search; pgvector's default where nobody has set it
-- @column hnsw_iterative   text   hnsw.iterative_scan
-- @column ivfflat_iterative text  ivfflat.iterative_scan
-- @column ivfflat_probes   int4
-- @column plan_cache_mode  text
-- @server 14+
SELECT EXISTS (SELECT 1
                 FROM pg_catalog.pg_stats AS x
                WHERE x.schemaname = n.nspname AND x.tablename = c.relname),
       COALESCE(s.n_mod_since_analyze, 0),
       (SELECT x.setting::pg_catalog.int8
          FROM pg_catalog.pg_settings AS x
         WHERE x.name = 'maintenance_work_mem'),
       pg_catalog.current_setting('max_parallel_maintenance_workers')::pg_catalog.int4,
       pg_catalog.row_security_active(c.oid),
       COALESCE(NULLIF(pg_catalog.current_setting('hnsw.ef_search', true), ''), '40')::pg_catalog.int4,
       COALESCE(NULLIF(pg_catalog.current_setting('hnsw.iterative_scan', true), ''), 'off'),
       COALESCE(NULLIF(pg_catalog.current_setting('ivfflat.iterative_scan', true), ''), 'off'),
       COALESCE(NULLIF(pg_catalog.current_setting('ivfflat.probes', true), ''), '1')::pg_catalog.int4,
       pg_catalog.current_setting('plan_cache_mode')
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE c.oid = $1::oid
