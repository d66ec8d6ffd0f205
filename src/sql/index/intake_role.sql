-- A role by its name.
-- @arg role text
-- @column oid oid
-- @server 14+
SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = $1::text;
