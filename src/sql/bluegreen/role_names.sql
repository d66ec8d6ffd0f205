-- The roles of this server.
-- @column name text
-- @server 14+
SELECT r.rolname::text AS name FROM pg_catalog.pg_roles AS r ORDER BY 1;
