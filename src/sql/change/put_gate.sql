-- Records a gate as passed or not.
-- @arg name text
-- @arg passed bool
-- @arg note text
-- @arg plan_hash text?
-- @server 14+
INSERT INTO pgmend.gate (name, passed, note, actor, plan_hash, recorded_at)
VALUES ($1, $2::boolean, $3, SESSION_USER, $4, pg_catalog.clock_timestamp());
