-- The open dialog of a chat.
-- @arg user_id int4
-- @arg assistant_id int4
-- @arg chat text
-- @arg dialog_id int4 the last one that is known of the chat
-- @column id int4
-- @column is_taken_over bool an operator answers
-- @server 14+
SELECT d.id, d.is_taken_over <> 0 OR d.handoff_status = 'active' AS is_taken_over
  FROM public.dialogs AS d
 WHERE d.user_id = $1
   AND d.assistant_id = $2
   AND (d.id = $4 OR d.telegram_chat_id = $3)
   AND d.ended_at IS NULL
 ORDER BY d.id = $4 DESC, d.started_at DESC, d.id DESC
 LIMIT 1
