-- The statistics objects of this database.
-- @column id       oid
-- @column schema   text
-- @column name     text
-- @column keys     text  the numbers of its columns, rising, with blanks between
-- @server 14+
SELECT e.oid AS id, n.nspname::text AS schema, e.stxname::text AS name, e.stxkeys::text AS keys
  FROM pg_catalog.pg_statistic_ext e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.stxnamespace
