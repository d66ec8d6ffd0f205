-- An installed search over one table: the functions of a name whose text names the table.
-- @arg name text
-- @arg table text qualified and quoted, as the function's text has it
-- @arg arguments text types of the arguments that it should have
-- @column schema text
-- @column is_callable bool it has these arguments, and the role may call it
-- @server 14+
SELECT n.nspname,
       COALESCE(p.oid = pg_catalog.to_regprocedure(
                            pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, $3::text)), false)
       AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
       AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 WHERE p.proname = $1
   AND p.prokind = 'f'
   AND pg_catalog.strpos(CASE WHEN p.prokind = 'f' THEN pg_catalog.pg_get_functiondef(p.oid) END,
                         $2) > 0
 ORDER BY 2 DESC, n.nspname = 'public' DESC, n.nspname;
