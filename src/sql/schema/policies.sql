-- Row security policies.
-- @column schema text
-- @column table_name text
-- @column name text
-- @column command text ALL, SELECT …
-- @column is_permissive bool
-- @column roles text PUBLIC or names, quoted, sorted, separated by commas
-- @column using_text text?
-- @column check_text text?
-- @column comment text?
-- @server 14+
SELECT n.nspname::text, c.relname::text, p.polname::text,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                     WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
       p.polpermissive,
       (SELECT pg_catalog.string_agg(o.name, ', ' ORDER BY o.name COLLATE "C")
          FROM (SELECT CASE WHEN r.oid = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(
                                pg_catalog.pg_get_userbyid(r.oid)) END
                  FROM pg_catalog.unnest(p.polroles) AS r (oid)) AS o (name)),
       pg_catalog.pg_get_expr(p.polqual, p.polrelid),
       pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), d.description
  FROM pg_catalog.pg_policy AS p
  JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = p.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_policy'::pg_catalog.regclass
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND e.objid = c.oid AND e.deptype = 'e')
 ORDER BY n.nspname, c.relname, p.polname;
