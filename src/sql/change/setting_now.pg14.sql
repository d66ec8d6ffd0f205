-- Before 15 nobody but a superuser may.
SELECT s.setting, s.reset_val, s.unit, s.vartype, s.context, s.source, s.pending_restart,
       COALESCE((SELECT r.rolsuper FROM pg_catalog.pg_roles AS r
                  WHERE r.rolname = CURRENT_USER), false),
       pg_catalog.has_table_privilege('pg_catalog.pg_file_settings', 'SELECT')
       AND pg_catalog.has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE'),
       pg_catalog.has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE'),
       pg_catalog.pg_conf_load_time()::pg_catalog.text
  FROM pg_catalog.pg_settings AS s
 WHERE s.name = pg_catalog.lower($1::text);
