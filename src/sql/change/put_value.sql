-- Keeps a value under a name.
-- @arg name text
-- @arg value text JSON
-- @server 14+
INSERT INTO pgmend.value (name, value, changed_at)
VALUES ($1, $2::json, pg_catalog.clock_timestamp())
ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, changed_at = EXCLUDED.changed_at;
