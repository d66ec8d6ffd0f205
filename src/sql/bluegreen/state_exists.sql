-- Whether the state's table is there and ours to read.
-- @column is_there bool
-- @server 14+
SELECT COALESCE((SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                        AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
                   FROM pg_catalog.pg_class AS c
                   JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                  WHERE n.nspname = 'pgmend' AND c.relname = 'bluegreen'), false) AS is_there;
