-- A parameter that every new session of a role gets.
-- @arg role text
-- @arg name text
-- @column value text
-- @server 14+
SELECT o.option_value
  FROM pg_catalog.pg_db_role_setting AS s
  JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
  CROSS JOIN LATERAL pg_catalog.pg_options_to_table(s.setconfig) AS o
 WHERE r.rolname = $1::text
   AND s.setdatabase = 0
   AND o.option_name = pg_catalog.lower($2::text);
