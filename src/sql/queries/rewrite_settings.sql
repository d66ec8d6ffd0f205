-- Until the transaction ends, names are found as an application of this role finds them in this database.
-- @arg    timeout      text
-- @column search_path  text
-- @column limit        text
-- @server 14+
SELECT pg_catalog.set_config('search_path', s.reset_val, true),
       pg_catalog.set_config('statement_timeout', $1, true)
  FROM pg_catalog.pg_settings AS s
 WHERE s.name = 'search_path'
