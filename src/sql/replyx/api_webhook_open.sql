-- Opens a dialog.
-- @arg user_id int4
-- @arg assistant_id int4
-- @arg chat text
-- @arg username text?
-- @arg first_name text?
-- @arg last_name text?
-- @column id int4
-- @server 14+
INSERT INTO public.dialogs AS d
       (user_id, assistant_id, telegram_chat_id, telegram_username, first_name, last_name, started_at)
VALUES ($1, $2, $3, $4, $5, $6, pg_catalog.clock_timestamp() AT TIME ZONE 'UTC')
RETURNING d.id
