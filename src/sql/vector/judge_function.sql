-- The installed hybrid search over one table: the functions of that name whose text names it.
-- @arg table text qualified and quoted, as the function's text has it
-- @column oid oid
-- @column schema text
-- @column tenant_type text? of the first argument; NULL: the function takes no tenant
-- @column vector_type text of the argument that is the vector
-- @column argument_count int4
-- @server 14+
SELECT p.oid,
       n.nspname,
       CASE WHEN t.typname NOT IN ('vector', 'halfvec')
            THEN pg_catalog.format_type(p.proargtypes[0], NULL) END,
       pg_catalog.format_type(CASE WHEN t.typname IN ('vector', 'halfvec') THEN p.proargtypes[0]
                                   ELSE p.proargtypes[1] END, NULL),
       p.pronargs::int4
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = p.proargtypes[0]
 WHERE p.proname = 'search_embeddings_hybrid'
   AND p.prokind = 'f'
   AND p.pronargs >= 4
   AND pg_catalog.strpos(CASE WHEN p.prokind = 'f' THEN pg_catalog.pg_get_functiondef(p.oid) END,
                         $1) > 0
   AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
 ORDER BY n.nspname = 'public' DESC, n.nspname;
