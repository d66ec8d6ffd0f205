-- The tables, views, types and functions with an OID above the given one: cheap, for it is asked after every revision.
-- @arg    oid   int8
-- @column oid   int8
-- @column class text as of made.sql, which leaves out what is none of the user's
-- @server 14+
SELECT c.oid::pg_catalog.int8 AS oid, 'tables' AS class
  FROM pg_catalog.pg_class c
 WHERE c.oid > $1::pg_catalog.int8::pg_catalog.oid AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
UNION ALL
SELECT t.oid::pg_catalog.int8, 'types'
  FROM pg_catalog.pg_type t
 WHERE t.oid > $1::pg_catalog.int8::pg_catalog.oid AND t.typtype IN ('e', 'd', 'c', 'r')
UNION ALL
SELECT p.oid::pg_catalog.int8, 'functions'
  FROM pg_catalog.pg_proc p
 WHERE p.oid > $1::pg_catalog.int8::pg_catalog.oid
