-- The extensions that can be created on this server.
-- @column name text
-- @server 14+
SELECT e.name::text AS name FROM pg_catalog.pg_available_extensions e ORDER BY e.name
