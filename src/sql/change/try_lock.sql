-- Takes the lock that lets one pgmend at a time change this database, for the whole session.
-- @column taken bool
-- @server 14+
SELECT pg_catalog.pg_try_advisory_lock(1885826404, 1);
