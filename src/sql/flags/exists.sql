-- Whether the table of the flags is there.
-- @column is_there bool
-- @server 14+
SELECT EXISTS (SELECT 1
                 FROM pg_catalog.pg_class AS c
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = 'pgmend' AND c.relname = 'flag' AND c.relkind = 'r')
   AND pg_catalog.to_regprocedure('pgmend.flag_off(text, text)') IS NOT NULL;
