-- Names without a schema mean from now on what they mean to the application, and no plan takes long.
-- @arg path text? search_path; NULL: what role and database have
-- @arg limit_ms text of a statement
-- @column path text as it is now
-- @column ignored text
-- @server 14+
SELECT pg_catalog.set_config('search_path', coalesce($1, s.reset_val), false) AS path,
       pg_catalog.set_config('statement_timeout', $2, false) AS ignored
  FROM pg_catalog.pg_settings s
 WHERE s.name = 'search_path';
