-- A function as it is, and the statements that give a new one of its name what belongs to it.
-- @arg function_oid oid
-- @column definition text CREATE OR REPLACE FUNCTION …
-- @column signature text quoted, with the types of its arguments
-- @column extension text? that it is a part of
-- @column rights text JSON array of statements: owner, grants, comment
-- @server 14+
SELECT CASE WHEN p.prokind IN ('f', 'p', 'w') THEN pg_catalog.pg_get_functiondef(p.oid) ELSE '' END,
       s.signature,
       (SELECT e.extname FROM pg_catalog.pg_depend AS d
          JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
         WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
           AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'),
       (SELECT COALESCE(pg_catalog.json_agg(x.line ORDER BY x.place, x.line), '[]')::text
          FROM (SELECT 1 AS place, pg_catalog.format('ALTER ROUTINE %s OWNER TO %I', s.signature,
                           pg_catalog.pg_get_userbyid(p.proowner)) AS line
                UNION ALL
                SELECT 2, pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', s.signature)
                 WHERE p.proacl IS NOT NULL
                UNION ALL
                SELECT 3, pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %s%s', s.signature,
                           CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                                ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee))
                           END,
                           CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                  FROM pg_catalog.aclexplode(p.proacl) AS a
                 WHERE a.grantee <> p.proowner
                UNION ALL
                SELECT 4, pg_catalog.format('COMMENT ON ROUTINE %s IS %L', s.signature, c.text)
                  FROM pg_catalog.obj_description(p.oid, 'pg_proc') AS c (text)
                 WHERE c.text IS NOT NULL) AS x)
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 CROSS JOIN LATERAL (SELECT pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                            pg_catalog.pg_get_function_identity_arguments(p.oid))) AS s (signature)
 WHERE p.oid = $1::oid;
