-- Whether the role may write the journal: make schema pgmend, or its tables, or rows in them.
-- @column has_schema bool
-- @column has_tables bool
-- @column may_make_schema bool
-- @column may_make_tables bool
-- @column may_write bool what is there of the tables that each run writes
-- @column may_record bool what is there of the tables that keep gates and rehearsals
-- @server 14+
SELECT n.oid IS NOT NULL,
       t.count >= 3,
       pg_catalog.has_database_privilege(SESSION_USER, pg_catalog.current_database(), 'CREATE'),
       COALESCE(pg_catalog.has_schema_privilege(SESSION_USER, n.oid, 'USAGE')
                AND pg_catalog.has_schema_privilege(SESSION_USER, n.oid, 'CREATE'), false),
       COALESCE(pg_catalog.has_schema_privilege(SESSION_USER, n.oid, 'USAGE') AND t.may_write, false),
       COALESCE(pg_catalog.has_schema_privilege(SESSION_USER, n.oid, 'USAGE') AND t.may_record, false)
  FROM (SELECT 1) AS one
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'pgmend'
 CROSS JOIN LATERAL (
       SELECT pg_catalog.count(*) FILTER (WHERE c.relname IN ('run', 'journal', 'gate')) AS count,
              COALESCE(pg_catalog.bool_and(
                  pg_catalog.has_table_privilege(SESSION_USER, c.oid, 'SELECT')
                  AND (c.relname IN ('gate', 'value')
                       OR pg_catalog.has_table_privilege(SESSION_USER, c.oid, 'INSERT')
                          AND pg_catalog.has_table_privilege(SESSION_USER, c.oid, 'UPDATE'))), true) AS may_write,
              COALESCE(pg_catalog.bool_and(
                  pg_catalog.has_table_privilege(SESSION_USER, c.oid, 'SELECT')
                  AND pg_catalog.has_table_privilege(SESSION_USER, c.oid, 'INSERT')
                  AND (c.relname = 'gate' OR pg_catalog.has_table_privilege(SESSION_USER, c.oid, 'UPDATE')))
                  FILTER (WHERE c.relname IN ('gate', 'value')), true) AS may_record
         FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace = n.oid
          AND c.relkind = 'r'
          AND c.relname IN ('run', 'journal', 'gate', 'value', 'step', 'plan')) AS t;
