-- The last message of a dialog.
-- @arg    dialog_id  int4
-- @column id         int4
-- @column sender     text
-- @column text       text
-- @column timestamp  text
-- @server 14+
SELECT m.id,
       m.sender::text,
       m.text,
       m."timestamp"::text
  FROM public.dialog_messages AS m
 WHERE m.dialog_id = $1
 ORDER BY m."timestamp" DESC, m.id DESC
 LIMIT 1
