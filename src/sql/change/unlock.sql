-- Gives the run lock back.
-- @column released bool
-- @server 14+
SELECT pg_catalog.pg_advisory_unlock(1885826404, 1);
