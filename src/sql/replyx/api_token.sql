-- Whose API token this is; no row for one that is unknown, revoked or expired, or of a blocked user.
-- @arg digest text of the token, SHA-256 as hexadecimal digits
-- @column user_id int4
-- @server 14+
SELECT t.user_id FROM replyx_api.token_user($1::pg_catalog.text) AS t (user_id);
