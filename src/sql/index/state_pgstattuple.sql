-- Where the functions of the extension pgstattuple are.
-- @column schema text
-- @column is_allowed bool the role may call pgstatindex()
-- @server 14+
SELECT n.nspname,
       COALESCE((SELECT pg_catalog.bool_and(pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))
                   FROM pg_catalog.pg_proc AS p
                  WHERE p.pronamespace = n.oid AND p.proname = 'pgstatindex'), false)
       AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE e.extname = 'pgstattuple';
