-- Whether schema pgmend and its tables are there, and what stands in it that is not ours. A pgmend that changes what its
-- tables mean says so in the schema's comment, "pgmend format 2"; without one it is the first format.
-- @column has_schema bool
-- @column has_tables bool
-- @column is_current bool and what an older version did not make
-- @column foreign_objects text? names of objects in it that pgmend did not make
-- @column format int8
-- @server 14+
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'pgmend'),
       (SELECT pg_catalog.count(*) = 3
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = 'pgmend'
           AND c.relkind = 'r'
           AND c.relname IN ('run', 'journal', 'gate')),
       (SELECT pg_catalog.count(*) = 6
               AND pg_catalog.bool_or(EXISTS
                   (SELECT 1
                      FROM pg_catalog.pg_attribute AS a
                     WHERE c.relname = 'journal' AND a.attrelid = c.oid AND a.attname = 'step'
                       AND NOT a.attisdropped))
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = 'pgmend'
           AND c.relkind = 'r'
           AND c.relname IN ('run', 'journal', 'gate', 'value', 'step', 'plan')),
       (SELECT pg_catalog.string_agg(c.relname, ', ' ORDER BY c.relname)
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = 'pgmend'
           AND c.relkind NOT IN ('i', 'I', 't', 'S')
           AND NOT c.relispartition
           AND c.relname NOT IN ('run', 'journal', 'gate', 'value', 'step', 'plan', 'checklist',
                                 'checklist_item', 'bluegreen', 'bluegreen_beat', 'partition',
                                 'snapshot', 'snapshot_statement',
                                 'snapshot_index', 'snapshot_table', 'snapshot_setting',
                                 'snapshot_plan', 'snapshot_query',
                                 'flag', 'kpi', 'kpi_value', 'monitored_server', 'store_progress',
                                 'series', 'sample', 'sample_minute', 'sample_hour',
                                 'statement', 'statement_text', 'statement_sample',
                                 'statement_minute', 'statement_hour', 'session_sample',
                                 'relation', 'relation_sample', 'statement_history',
                                 'metric_history', 'relation_history')
           AND NOT (c.relname = 'pg_stat_statements_snapshot' AND c.relkind = 'v')),
       COALESCE((SELECT pg_catalog.substring(
                            pg_catalog.obj_description(n.oid, 'pg_namespace'),
                            '^pgmend format ([0-9]{1,9})')::pg_catalog.int8
                   FROM pg_catalog.pg_namespace AS n
                  WHERE n.nspname = 'pgmend'), 1);
