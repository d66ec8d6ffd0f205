-- Stores a message of a dialog.
-- @arg dialog_id int4
-- @arg sender text 'user', 'assistant': the kind is the same
-- @arg words text
-- @column id int4
-- @server 14+
INSERT INTO public.dialog_messages AS m (dialog_id, sender, text, message_kind, timestamp)
VALUES ($1, $2, $3, $2, pg_catalog.clock_timestamp() AT TIME ZONE 'UTC')
RETURNING m.id
