-- A run begins.
-- @arg id text
-- @arg command text
-- @arg client text
-- @arg version text
-- @arg plan_hash text?
-- @arg catalogue text?
-- @arg overrides text?
-- @arg started_at text
-- @server 14+
INSERT INTO pgmend.run (id, command, state, actor, client, version, plan_hash, catalogue,
                        overrides, started_at)
VALUES ($1, $2, 'running', SESSION_USER, $3, $4, $5, $6::json, $7::json, $8::timestamptz)
ON CONFLICT (id) DO NOTHING;
