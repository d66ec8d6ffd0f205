-- What a session has set that planning the statements of others changes.
-- It is asked with the application's search_path in force too, so its operator is named with its schema.
-- @column search_path  text
-- @column own_path     text  what an application of this role gets
-- @column timeout      text
-- @column is_read_only text  on or off
-- @column cache_mode   text
-- @column now_s        int8  seconds since 1970
-- @server 14+
SELECT pg_catalog.current_setting('search_path'),
       s.reset_val,
       pg_catalog.current_setting('statement_timeout'),
       pg_catalog.current_setting('default_transaction_read_only'),
       pg_catalog.current_setting('plan_cache_mode'),
       pg_catalog.date_part('epoch', pg_catalog.now())::pg_catalog.int8
  FROM pg_catalog.pg_settings AS s
 WHERE s.name OPERATOR(pg_catalog.=) 'search_path';
