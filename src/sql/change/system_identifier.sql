-- The number that initdb gave this cluster.
-- @column system_identifier text
-- @server 14+
SELECT s.system_identifier::text FROM pg_catalog.pg_control_system() AS s;
