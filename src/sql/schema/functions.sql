-- Functions, procedures, aggregates.
-- @column schema text
-- @column name text
-- @column arguments text types of the input arguments: "integer, text"; of an aggregate what DROP AGGREGATE wants: "*"
-- @column kind text function, procedure, aggregate, window
-- @column definition text a whole CREATE OR REPLACE statement
-- @column signature text names, modes, defaults and types of arguments and result: a part of the definition that OR REPLACE cannot change
-- @column owner text
-- @column acl text? a JSON array of sorted "grantee=rights/grantor" items as aclitem writes them, the owner's among them; NULL: the default rights
-- @column comment text?
-- @server 14+
WITH own AS (
    SELECT f.*, n.nspname,
           CASE WHEN f.prokind = 'a' AND f.pronargs = 0 THEN '*'
                WHEN a.aggkind IN ('o', 'h')
                THEN pg_catalog.pg_get_function_identity_arguments(f.oid)
                ELSE pg_catalog.array_to_string(ARRAY(
                    SELECT pg_catalog.format_type(t.oid, NULL)
                      FROM pg_catalog.unnest(f.proargtypes) WITH ORDINALITY AS t (oid, place)
                     ORDER BY t.place), ', ') END AS types
      FROM pg_catalog.pg_proc AS f
      JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
      LEFT JOIN pg_catalog.pg_aggregate AS a ON a.aggfnoid = f.oid
     WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                          AND e.objid = f.oid AND e.deptype = 'e')
       -- The constructors of range types come and go with the type.
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS i
                        WHERE i.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                          AND i.objid = f.oid AND i.deptype = 'i')
)
SELECT f.nspname::text, f.proname::text, f.types,
       CASE f.prokind WHEN 'f' THEN 'function' WHEN 'p' THEN 'procedure'
                      WHEN 'a' THEN 'aggregate' ELSE 'window' END,
       CASE WHEN f.prokind <> 'a'
            THEN pg_catalog.rtrim(pg_catalog.pg_get_functiondef(f.oid), E'\n')
            ELSE g.definition END,
       pg_catalog.concat_ws(' RETURNS ', pg_catalog.pg_get_function_arguments(f.oid),
                            pg_catalog.pg_get_function_result(f.oid)),
       pg_catalog.pg_get_userbyid(f.proowner)::text,
       CASE WHEN f.proacl IS NOT NULL THEN NULLIF(
           pg_catalog.to_json(ARRAY(SELECT x::text FROM pg_catalog.unnest(f.proacl) AS x
                                     ORDER BY x::text COLLATE "C"))::text,
           pg_catalog.to_json(ARRAY(SELECT x::text
                                      FROM pg_catalog.unnest(
                                           pg_catalog.acldefault('f', f.proowner)) AS x
                                     ORDER BY x::text COLLATE "C"))::text) END,
       d.description
  FROM own AS f
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = f.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  LEFT JOIN LATERAL (
    SELECT pg_catalog.format('CREATE OR REPLACE AGGREGATE %I.%I(%s) (',
               f.nspname, f.proname,
               CASE WHEN f.pronargs = 0 THEN '*'
                    ELSE pg_catalog.pg_get_function_arguments(f.oid) END)
           || pg_catalog.concat_ws(', ',
               'SFUNC = ' || pg_catalog.format('%I.%I', sn.nspname, s.proname),
               'STYPE = ' || pg_catalog.format_type(a.aggtranstype, NULL),
               'SSPACE = ' || NULLIF(a.aggtransspace, 0),
               'FINALFUNC = ' || CASE WHEN a.aggfinalfn <> 0 THEN a.aggfinalfn::text END,
               CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
               'FINALFUNC_MODIFY = ' || CASE
                   WHEN a.aggfinalmodify = CASE WHEN a.aggkind = 'n' THEN 'r' ELSE 'w' END
                     OR a.aggfinalfn = 0 THEN NULL
                   WHEN a.aggfinalmodify = 'r' THEN 'READ_ONLY'
                   WHEN a.aggfinalmodify = 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END,
               'COMBINEFUNC = ' || CASE WHEN a.aggcombinefn <> 0 THEN a.aggcombinefn::text END,
               'SERIALFUNC = ' || CASE WHEN a.aggserialfn <> 0 THEN a.aggserialfn::text END,
               'DESERIALFUNC = '
                   || CASE WHEN a.aggdeserialfn <> 0 THEN a.aggdeserialfn::text END,
               'INITCOND = ' || pg_catalog.quote_literal(a.agginitval),
               'MSFUNC = ' || CASE WHEN a.aggmtransfn <> 0 THEN a.aggmtransfn::text END,
               'MINVFUNC = ' || CASE WHEN a.aggminvtransfn <> 0 THEN a.aggminvtransfn::text END,
               'MSTYPE = ' || CASE WHEN a.aggmtranstype <> 0
                                   THEN pg_catalog.format_type(a.aggmtranstype, NULL) END,
               'MSSPACE = ' || NULLIF(a.aggmtransspace, 0),
               'MFINALFUNC = ' || CASE WHEN a.aggmfinalfn <> 0 THEN a.aggmfinalfn::text END,
               CASE WHEN a.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
               'MFINALFUNC_MODIFY = ' || CASE
                   WHEN a.aggmfinalmodify = CASE WHEN a.aggkind = 'n' THEN 'r' ELSE 'w' END
                     OR a.aggmfinalfn = 0 THEN NULL
                   WHEN a.aggmfinalmodify = 'r' THEN 'READ_ONLY'
                   WHEN a.aggmfinalmodify = 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END,
               'MINITCOND = ' || pg_catalog.quote_literal(a.aggminitval),
               'SORTOP = ' || (SELECT pg_catalog.format('OPERATOR(%I.%s)', onsp.nspname, o.oprname)
                                 FROM pg_catalog.pg_operator AS o
                                 JOIN pg_catalog.pg_namespace AS onsp
                                   ON onsp.oid = o.oprnamespace
                                WHERE o.oid = a.aggsortop),
               CASE WHEN a.aggkind = 'h' THEN 'HYPOTHETICAL' END,
               'PARALLEL = ' || CASE f.proparallel WHEN 's' THEN 'SAFE'
                                                   WHEN 'r' THEN 'RESTRICTED' END)
           || ')' AS definition
      FROM pg_catalog.pg_aggregate AS a
      JOIN pg_catalog.pg_proc AS s ON s.oid = a.aggtransfn
      JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.pronamespace
     WHERE a.aggfnoid = f.oid) AS g ON f.prokind = 'a'
 ORDER BY f.nspname, f.proname, f.types COLLATE "C";
