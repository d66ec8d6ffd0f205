-- Makes a session one that plans the statements of others, or what it was before.
-- @arg    search_path  text
-- @arg    timeout      text
-- @arg    is_read_only text  on or off
-- @arg    cache_mode   text
-- @column ignored      text
-- @server 14+
SELECT pg_catalog.set_config('search_path', $1, false)
       || pg_catalog.set_config('statement_timeout', $2, false)
       || pg_catalog.set_config('default_transaction_read_only', $3, false)
       || pg_catalog.set_config('plan_cache_mode', $4, false);
