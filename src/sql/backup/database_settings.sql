-- Settings made with ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET.
-- @arg    database text
-- @column role     text? NULL: for all roles
-- @column name     text
-- @column value    text
-- @column is_list  bool  the value is a list of quoted names
-- @server 14+
SELECT CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole)::text END AS role,
       pg_catalog.split_part(c.setting, '=', 1) AS name,
       pg_catalog.substr(c.setting, pg_catalog.strpos(c.setting, '=') + 1) AS value,
       pg_catalog.lower(pg_catalog.split_part(c.setting, '=', 1)) IN (
           'search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries') AS is_list
  FROM pg_catalog.pg_db_role_setting s
  JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) WITH ORDINALITY c (setting, position)
 WHERE d.datname = $1
 ORDER BY s.setrole, c.position
