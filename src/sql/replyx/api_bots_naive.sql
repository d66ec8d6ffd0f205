-- Bots of a user, newest first.
-- @arg    user_id       int4
-- @column id            int4
-- @column platform      text
-- @column is_active     bool
-- @column created_at    text
-- @column assistant_id  int4
-- @server 14+
SELECT b.id,
       b.platform::text,
       b.is_active,
       b.created_at::text,
       b.assistant_id
  FROM public.bot_instances AS b
 WHERE b.user_id = $1
 ORDER BY b.created_at DESC, b.id DESC
