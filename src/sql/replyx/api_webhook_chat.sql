-- Notes a chat that is new.
-- @arg bot_id int4
-- @arg chat text
-- @arg user_id int4
-- @server 14+
INSERT INTO replyx_api.telegram_chat (bot_id, chat_id, user_id)
VALUES ($1, $2, $3)
ON CONFLICT (bot_id, chat_id) DO NOTHING
