-- Functions of a name that are not the one with this signature: calls may mean them.
-- @arg schema text
-- @arg name text
-- @arg signature text as regprocedure reads it
-- @column signature text for DROP FUNCTION
-- @server 14+
SELECT p.oid::pg_catalog.regprocedure::text
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname = $1
   AND p.proname = $2
   AND p.oid IS DISTINCT FROM pg_catalog.to_regprocedure($3)::pg_catalog.oid
 ORDER BY 1;
