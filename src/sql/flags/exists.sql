-- Whether the table of the flags is there, and the function that turns one off.
-- @column is_there bool
-- @column has_function bool
-- @server 14+
SELECT EXISTS (SELECT 1
                 FROM pg_catalog.pg_class AS c
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = 'pgmend' AND c.relname = 'flag' AND c.relkind = 'r'),
       EXISTS (SELECT 1
                 FROM pg_catalog.pg_proc AS p
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                WHERE n.nspname = 'pgmend' AND p.proname = 'flag_off'
                  AND pg_catalog.oidvectortypes(p.proargtypes) = 'text, text');
