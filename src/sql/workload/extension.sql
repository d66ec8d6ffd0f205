-- Where pg_stat_statements is installed in this database, and whether its library is loaded.
-- @column schema     text
-- @column version    text
-- @column is_loaded  bool   without the library every use of the view fails
-- @column is_old     bool   older than 1.9, which has no pg_stat_statements_info
-- @server 14+
SELECT n.nspname::pg_catalog.text AS schema,
       e.extversion AS version,
       pg_catalog.current_setting('pg_stat_statements.max', true) IS NOT NULL AS is_loaded,
       (pg_catalog.string_to_array(e.extversion, '.'))[1:2]::pg_catalog.int4[] < ARRAY[1, 9] AS is_old
  FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements'
