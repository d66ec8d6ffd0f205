-- Writes a named restore point into the WAL.
-- @arg    name   text
-- @column lsn    text
-- @column set_at text
-- @server 14+
SELECT pg_catalog.pg_create_restore_point($1)::text AS lsn, pg_catalog.clock_timestamp()::text AS set_at
