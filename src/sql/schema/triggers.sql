-- Triggers that are nobody's internals. A partition's copy of its parent's trigger is here only when it is enabled in another way than that.
-- @column schema text
-- @column table_name text
-- @column name text
-- @column definition text by pg_get_triggerdef()
-- @column enabled text origin, disabled, replica, always
-- @column copy_of text? the table whose trigger it is a copy of, quoted: only its state is its own
-- @column comment text?
-- @server 14+
SELECT n.nspname::text, c.relname::text, t.tgname::text, pg_catalog.pg_get_triggerdef(t.oid),
       CASE t.tgenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                        ELSE 'always' END,
       p.tgrelid::pg_catalog.regclass::text, d.description
  FROM pg_catalog.pg_trigger AS t
  JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_trigger AS p ON p.oid = t.tgparentid AND t.tgparentid <> 0
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = t.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
 -- Up to 14 the copies are internal too; those of foreign keys have the other table.
 WHERE (NOT t.tgisinternal OR t.tgparentid <> 0 AND t.tgconstrrelid = 0)
   AND (t.tgparentid = 0 OR t.tgenabled <> p.tgenabled)
   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND e.objid = c.oid AND e.deptype = 'e')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
                      AND e.objid = t.oid AND e.deptype = 'e')
 ORDER BY n.nspname, c.relname, t.tgname;
