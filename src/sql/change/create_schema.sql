-- The schema that holds everything of ours. Where it is there nothing is asked for: CREATE SCHEMA IF NOT EXISTS would need
-- the right to create others, which a role that was given this one need not have.
-- @server 14+
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'pgmend') THEN
        CREATE SCHEMA IF NOT EXISTS pgmend;
    END IF;
END
$$;
