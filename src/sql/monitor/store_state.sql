-- What the store still needs, and who owns what is there.
-- @arg view_schema text
-- @column missing text? tables and views in schema pgmend that are not there
-- @column has_view_schema bool
-- @column view_owner text? of the plan's view, or whatever else has its name
-- @column is_our_view bool
-- @column owner text? of the store's tables, when it is a role that we are not a member of
-- @server 14+
SELECT (SELECT pg_catalog.string_agg(v.name, ', ' ORDER BY v.name)
          FROM pg_catalog.unnest(ARRAY['monitored_server', 'store_progress', 'series', 'sample',
                   'sample_minute', 'sample_hour', 'statement', 'statement_text', 'statement_sample',
                   'statement_minute', 'statement_hour', 'session_sample', 'relation', 'relation_sample',
                   'statement_history', 'metric_history', 'relation_history']) AS v (name)
         WHERE NOT EXISTS (SELECT 1
                             FROM pg_catalog.pg_class AS c
                             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                            WHERE n.nspname = 'pgmend' AND c.relname = v.name)),
       EXISTS (SELECT 1 FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1),
       (SELECT pg_catalog.pg_get_userbyid(c.relowner)::text
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relname = 'pg_stat_statements_snapshot'),
       EXISTS (SELECT 1
                 FROM pg_catalog.pg_class AS c
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                 JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = c.oid
                 JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                  AND d.objid = w.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                 JOIN pg_catalog.pg_class AS h ON h.oid = d.refobjid
                 JOIN pg_catalog.pg_namespace AS p ON p.oid = h.relnamespace
                WHERE n.nspname = $1 AND c.relname = 'pg_stat_statements_snapshot' AND c.relkind = 'v'
                  AND p.nspname = 'pgmend' AND h.relname = 'statement_history'),
       (SELECT pg_catalog.pg_get_userbyid(c.relowner)::text
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = 'pgmend' AND c.relname = 'sample'
           AND NOT pg_catalog.pg_has_role(c.relowner, 'MEMBER'))
