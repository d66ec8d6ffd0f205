-- A parameter of the server as it is now, and whether this role may change it for the whole server.
-- @arg name text
-- @column value text in .unit
-- @column reset_value text what a new session gets from the files
-- @column unit text?
-- @column kind text bool, integer, real, enum or string
-- @column context text who can set it: postmaster means at a start alone
-- @column source text
-- @column is_pending_restart bool
-- @column may_alter bool
-- @column may_see_file bool
-- @column may_reload bool
-- @column loaded_at text when this session last read the files
-- @server 14+
SELECT s.setting, s.reset_val, s.unit, s.vartype, s.context, s.source, s.pending_restart,
       pg_catalog.has_parameter_privilege(s.name, 'ALTER SYSTEM'),
       pg_catalog.has_table_privilege('pg_catalog.pg_file_settings', 'SELECT')
       AND pg_catalog.has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE'),
       pg_catalog.has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE'),
       pg_catalog.pg_conf_load_time()::pg_catalog.text
  FROM pg_catalog.pg_settings AS s
 WHERE s.name = pg_catalog.lower($1::text);
