-- What decides how rows can be restored into the tables of this database.
-- @column schema        text
-- @column name          text
-- @column is_extension  bool  belongs to an extension
-- @column triggers      int8  foreign keys and triggers that would look at rows or change them
-- @server 14+
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND d.objid = c.oid AND d.deptype = 'e') AS is_extension,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_trigger t
         WHERE t.tgrelid = c.oid AND t.tgenabled <> 'D') AS triggers
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp_)'
 ORDER BY n.nspname, c.relname
