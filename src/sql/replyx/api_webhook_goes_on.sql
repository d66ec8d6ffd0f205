-- Which dialog a chat goes on in.
-- @arg bot_id int4
-- @arg chat text
-- @arg dialog_id int4
-- @server 14+
UPDATE replyx_api.telegram_chat AS c
   SET dialog_id = $3
 WHERE c.bot_id = $1
   AND c.chat_id = $2
   AND c.dialog_id IS DISTINCT FROM $3
