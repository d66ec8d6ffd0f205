-- Makes rows for the plan's goals where they are missing, so that values can be told of them.
-- @arg names text[]
-- @server 14+
INSERT INTO pgmend.kpi (name)
SELECT n.name FROM pg_catalog.unnest($1::text[]) AS n (name)
ON CONFLICT (name) DO NOTHING
