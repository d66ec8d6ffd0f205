-- Whether Alembic's version table is there.
-- @arg schema text? NULL: public
-- @arg name text
-- @column is_there bool
-- @server 14+
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE c.relname = $2 AND n.nspname = COALESCE($1, 'public') AND c.relkind IN ('r', 'p'));
