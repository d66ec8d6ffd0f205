-- How much a database holds, as the server estimates it.
-- @column rows  float8 of all tables
-- @column bytes int8
-- @server 14+
SELECT coalesce((SELECT pg_catalog.sum(greatest(c.reltuples::pg_catalog.float8,
                            pg_catalog.pg_stat_get_live_tuples(c.oid)::pg_catalog.float8, 0))
                   FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
                    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend')
                    AND n.nspname !~ '^pg_(toast|temp_)'), 0)::pg_catalog.float8 AS rows,
       pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes
