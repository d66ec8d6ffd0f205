-- A page of all dialogs of a user, newest first.
-- @arg    user_id            int4
-- @arg    most               int4
-- @arg    skipped            int8
-- @column id                 int4
-- @column assistant_id       text?
-- @column first_name         text?
-- @column last_name          text?
-- @column telegram_username  text?
-- @column is_ended           bool
-- @column handoff_status     text
-- @column started_at         text
-- @column user_id            int4
-- @server 14+
SELECT d.id,
       d.assistant_id::text,
       d.first_name::text,
       d.last_name::text,
       d.telegram_username::text,
       d.ended_at IS NOT NULL,
       d.handoff_status::text,
       d.started_at::text,
       d.user_id
  FROM public.dialogs AS d
 WHERE d.user_id = $1
 ORDER BY d.started_at DESC, d.id DESC
OFFSET $3::int8
 LIMIT $2::int4
