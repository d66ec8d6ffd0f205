-- Notes that an update has come; no row: it had come before.
-- @arg bot_id int4
-- @arg update_id int8
-- @arg user_id int4
-- @arg kind text
-- @column id int8
-- @server 14+
INSERT INTO replyx_api.telegram_update AS u (bot_id, update_id, user_id, kind)
VALUES ($1, $2, $3, $4)
ON CONFLICT (bot_id, update_id) DO NOTHING
RETURNING u.update_id AS id
