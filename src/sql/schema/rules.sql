-- Rules, but those that make a view.
-- @column schema text
-- @column table_name text
-- @column name text
-- @column definition text by pg_get_ruledef(), without the semicolon
-- @column enabled text origin, disabled, replica, always
-- @column comment text?
-- @server 14+
SELECT n.nspname::text, c.relname::text, r.rulename::text,
       pg_catalog.rtrim(pg_catalog.pg_get_ruledef(r.oid), ';'),
       CASE r.ev_enabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                         ELSE 'always' END,
       d.description
  FROM pg_catalog.pg_rewrite AS r
  JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = r.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
 WHERE r.rulename <> '_RETURN'
   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND e.objid = c.oid AND e.deptype = 'e')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                      AND e.objid = r.oid AND e.deptype = 'e')
 ORDER BY n.nspname, c.relname, r.rulename;
