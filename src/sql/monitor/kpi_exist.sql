-- Which tables that goals are measured from are there and may be read, and what would let one read the rest.
-- @column kpis bool
-- @column journal bool
-- @column snapshots bool
-- @column stored bool
-- @column is_made bool the tables of KPIs are there, whoever may read them
-- @column missing text? GRANTs; NULL: everything that is there may be read
-- @server 14+
SELECT pg_catalog.count(*) FILTER (WHERE t.may AND t.relname IN ('kpi', 'kpi_value')) = 2,
       pg_catalog.count(*) FILTER (WHERE t.may AND t.relname = 'journal') = 1,
       pg_catalog.count(*) FILTER (WHERE t.may AND t.relname IN ('snapshot', 'snapshot_statement')) = 2,
       pg_catalog.count(*) FILTER (WHERE t.may AND t.relname IN ('series', 'sample_hour', 'sample_minute')) = 3,
       pg_catalog.count(*) FILTER (WHERE t.relname IN ('kpi', 'kpi_value')) = 2,
       CASE WHEN pg_catalog.bool_or(NOT t.may)
            THEN pg_catalog.format('GRANT USAGE ON SCHEMA pgmend TO %I; GRANT SELECT ON %s TO %I;', current_user,
                     pg_catalog.string_agg(pg_catalog.format('pgmend.%I', t.relname), ', ' ORDER BY t.relname)
                         FILTER (WHERE NOT t.may), current_user)
        END
  FROM (SELECT c.relname,
               pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                   AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = 'pgmend'
           AND c.relkind IN ('r', 'p')
           AND c.relname IN ('kpi', 'kpi_value', 'journal', 'snapshot', 'snapshot_statement', 'series',
                             'sample_hour', 'sample_minute')) AS t
