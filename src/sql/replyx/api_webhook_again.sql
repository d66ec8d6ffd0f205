-- What an update was answered with.
-- @arg bot_id int4
-- @arg update_id int8
-- @column answer text
-- @server 14+
SELECT u.answer
  FROM replyx_api.telegram_update AS u
 WHERE u.bot_id = $1
   AND u.update_id = $2
