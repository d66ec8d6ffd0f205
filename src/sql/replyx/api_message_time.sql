-- When the last message of a dialog was sent.
-- @arg    dialog_id  int4
-- @column at         text?  null: it has none
-- @server 14+
SELECT pg_catalog.max(m."timestamp")::text
  FROM public.dialog_messages AS m
 WHERE m.dialog_id = $1
