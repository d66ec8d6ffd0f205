-- The dialog that a chat went on in last, which is ours alone until the transaction ends.
-- @arg bot_id int4
-- @arg chat text
-- @column dialog_id int4 0: none
-- @server 14+
SELECT coalesce(c.dialog_id, 0) AS dialog_id
  FROM replyx_api.telegram_chat AS c
 WHERE c.bot_id = $1
   AND c.chat_id = $2
   FOR NO KEY UPDATE
