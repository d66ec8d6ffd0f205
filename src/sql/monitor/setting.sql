-- Settings that are numbers or switches, are not the default, or wait for a restart.
-- @column name text
-- @column setting text in the unit, as in pg_settings
-- @column unit text? 8kB, ms, …
-- @column vartype text bool, integer, real, enum or string
-- @column number float8 in bytes, seconds, or as it is; 1 and 0 of a switch; NaN: no number
-- @column base_unit text bytes, seconds or nothing
-- @column boot_value text? what is built in
-- @column reset_value text? what a new session has
-- @column is_default bool
-- @column source text default, configuration file, command line, …
-- @column context text postmaster: a change needs a restart
-- @column pending_restart bool
-- @column summary text
-- @server 14+
SELECT s.name, s.setting, s.unit, s.vartype,
       CASE WHEN s.vartype = 'bool' THEN (s.setting = 'on')::int4::float8
            WHEN s.vartype IN ('integer', 'real')
            THEN s.setting::float8 * CASE WHEN s.setting::float8 < 0 THEN 1 ELSE u.factor END
            ELSE 'NaN' END,
       u.base, s.boot_val, s.reset_val,
       s.setting IS NOT DISTINCT FROM s.boot_val,
       s.source, s.context, s.pending_restart, s.short_desc
  FROM pg_catalog.pg_settings AS s
 CROSS JOIN LATERAL (SELECT CASE WHEN s.unit ~ 'B$' AND s.vartype <> 'bool' THEN 'bytes'
                                 WHEN s.unit IN ('us', 'ms', 's', 'min', 'h', 'd') THEN 'seconds'
                                 ELSE '' END AS base,
                            CASE WHEN s.unit = 'B' THEN 1
                                 WHEN s.unit ~ 'B$'
                                 THEN pg_catalog.pg_size_bytes(
                                          CASE WHEN s.unit ~ '^[0-9]' THEN s.unit ELSE '1' || s.unit END)::float8
                                 WHEN s.unit = 'us' THEN 0.000001
                                 WHEN s.unit = 'ms' THEN 0.001
                                 WHEN s.unit = 'min' THEN 60
                                 WHEN s.unit = 'h' THEN 3600
                                 WHEN s.unit = 'd' THEN 86400
                                 ELSE 1 END AS factor) AS u
 WHERE s.vartype IN ('bool', 'integer', 'real') OR s.source <> 'default' OR s.pending_restart
    OR s.vartype = 'enum'
 ORDER BY s.name;
