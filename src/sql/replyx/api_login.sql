-- The user of an e-mail address, for signing in by password.
-- @arg email text
-- @column user_id int4
-- @column hashed_password text
-- @column is_active bool
-- @server 14+
SELECT u.user_id, u.hashed_password, u.is_active FROM replyx_api.login_user($1::pg_catalog.text) AS u;
