-- Dialogs of an assistant, newest first. Without dialogs: one row of id 0; without the assistant: none.
-- @arg    user_id            int4
-- @arg    assistant_id       int4
-- @column id                 int4
-- @column first_name         text?
-- @column last_name          text?
-- @column telegram_username  text?
-- @column is_ended           bool
-- @column started_at         text?
-- @server 14+
SELECT COALESCE(d.id, 0),
       d.first_name::text,
       d.last_name::text,
       d.telegram_username::text,
       d.ended_at IS NOT NULL,
       d.started_at::text
  FROM public.assistants AS a
  LEFT JOIN public.dialogs AS d ON d.assistant_id = a.id AND d.user_id = $1
 WHERE a.id = $2
   AND a.user_id = $1
 ORDER BY d.started_at DESC, d.id DESC
