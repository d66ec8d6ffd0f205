-- What a scratch database needs of the server and of our role.
-- @column is_standby  bool
-- @column is_readonly bool the session, for another reason
-- @column can_create  bool may create databases
-- @server 14+
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
       pg_catalog.current_setting('transaction_read_only') = 'on' AS is_readonly,
       r.rolsuper OR r.rolcreatedb AS can_create
  FROM pg_catalog.pg_roles r
 WHERE r.rolname = current_user
