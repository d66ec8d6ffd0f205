-- Which tables that goals are measured from are there and may be read.
-- @column kpis bool
-- @column journal bool
-- @column snapshots bool
-- @column stored bool
-- @server 14+
SELECT pg_catalog.count(*) FILTER (WHERE c.relname IN ('kpi', 'kpi_value')) = 2,
       pg_catalog.count(*) FILTER (WHERE c.relname = 'journal') = 1,
       pg_catalog.count(*) FILTER (WHERE c.relname IN ('snapshot', 'snapshot_statement')) = 2,
       pg_catalog.count(*) FILTER (WHERE c.relname IN ('series', 'sample_hour', 'sample_minute')) = 3
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = 'pgmend'
   AND c.relkind IN ('r', 'p')
   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
   AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
