-- Makes a logical slot of this database.
-- @arg name text
-- @column lsn text
-- @server 14+
SELECT s.lsn::text AS lsn FROM pg_catalog.pg_create_logical_replication_slot($1::name, 'pgoutput') AS s;
