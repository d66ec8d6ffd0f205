-- Keeps a plan; the one that is kept last is the one in force.
-- @arg hash text
-- @arg plan text JSON
-- @server 14+
INSERT INTO pgmend.plan (hash, plan, kept_at)
VALUES ($1, $2::json, pg_catalog.clock_timestamp())
ON CONFLICT (hash) DO UPDATE SET plan = EXCLUDED.plan, kept_at = EXCLUDED.kept_at;
