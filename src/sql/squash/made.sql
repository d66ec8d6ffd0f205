-- The tables, views, types and functions of the user, with what never changes about them: their OID.
-- @column oid      int8
-- @column class    text of schema.h: tables, types, functions
-- @column identity text as schema_identity() writes it, when the search_path is empty
-- @server 14+
WITH spaces AS (
    SELECT n.oid, n.nspname
      FROM pg_catalog.pg_namespace n
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp_)'
), made AS (
    SELECT c.oid, 'pg_catalog.pg_class'::pg_catalog.regclass AS catalog, 'tables' AS class,
           pg_catalog.format('%I.%I', n.nspname, c.relname) AS identity
      FROM pg_catalog.pg_class c
      JOIN spaces n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
    UNION ALL
    SELECT t.oid, 'pg_catalog.pg_type'::pg_catalog.regclass, 'types', pg_catalog.format('%I.%I', n.nspname, t.typname)
      FROM pg_catalog.pg_type t
      JOIN spaces n ON n.oid = t.typnamespace
      LEFT JOIN pg_catalog.pg_class r ON r.oid = t.typrelid
     WHERE t.typtype IN ('e', 'd', 'c', 'r') AND (t.typtype <> 'c' OR r.relkind = 'c')
    UNION ALL
    SELECT p.oid, 'pg_catalog.pg_proc'::pg_catalog.regclass, 'functions',
           pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
      FROM pg_catalog.pg_proc p
      JOIN spaces n ON n.oid = p.pronamespace
)
SELECT m.oid::pg_catalog.int8 AS oid, m.class, m.identity
  FROM made m
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = m.catalog AND d.objid = m.oid AND d.deptype = 'e')
 ORDER BY m.class, m.oid
