-- The schemas of the user (not pg_*, information_schema, pgmend or an extension's own).
-- @column name text
-- @column owner text
-- @column acl text? a JSON array of sorted "grantee=rights/grantor" items as aclitem writes them, the owner's among them; NULL: the default rights
-- @column comment text?
-- @server 14+
SELECT n.nspname::text, pg_catalog.pg_get_userbyid(n.nspowner)::text,
       CASE WHEN n.nspacl IS NOT NULL THEN NULLIF(
           pg_catalog.to_json(ARRAY(SELECT x::text FROM pg_catalog.unnest(n.nspacl) AS x
                                     ORDER BY x::text COLLATE "C"))::text,
           pg_catalog.to_json(ARRAY(SELECT x::text
                                      FROM pg_catalog.unnest(
                                           pg_catalog.acldefault('n', n.nspowner)) AS x
                                     ORDER BY x::text COLLATE "C"))::text) END,
       d.description
  FROM pg_catalog.pg_namespace AS n
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = n.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                      AND e.objid = n.oid AND e.deptype = 'e')
 ORDER BY n.nspname;
