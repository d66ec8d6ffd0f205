-- The function of a signature.
-- @arg signature text schema.name(types), quoted
-- @column oid oid 0: there is none
-- @server 14+
SELECT COALESCE(pg_catalog.to_regprocedure($1)::oid, 0::oid);
