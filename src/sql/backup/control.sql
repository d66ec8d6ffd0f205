-- The identity that a cluster got from initdb, and its timeline.
-- @column system_identifier text
-- @column timeline          int4
-- @server 14+
SELECT s.system_identifier::text AS system_identifier, c.timeline_id AS timeline
  FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c
