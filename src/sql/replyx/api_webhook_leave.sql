-- Keeps what an update was answered with.
-- @arg bot_id int4
-- @arg update_id int8
-- @arg dialog_id int4
-- @arg message_id int4
-- @arg answer_id int4 0: none
-- @arg answer text
-- @server 14+
UPDATE replyx_api.telegram_update AS u
   SET dialog_id = $3, message_id = $4, answer_id = NULLIF($5, 0), answer = $6
 WHERE u.bot_id = $1
   AND u.update_id = $2
