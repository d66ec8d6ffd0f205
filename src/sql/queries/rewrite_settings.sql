-- Until the transaction ends, names are found as an application of this role finds them in this database, or as
-- pgmend.search_path says (of --set).
-- @arg    timeout      text
-- @column search_path  text
-- @column limit        text
-- @server 14+
SELECT pg_catalog.set_config('search_path', coalesce(pg_catalog.current_setting('pgmend.search_path', true), s.reset_val), true),
       pg_catalog.set_config('statement_timeout', $1, true)
  FROM pg_catalog.pg_settings AS s
 WHERE s.name = 'search_path'
