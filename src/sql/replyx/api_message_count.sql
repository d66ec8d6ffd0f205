-- How many messages a dialog has.
-- @arg    dialog_id  int4
-- @column count      int8
-- @server 14+
SELECT pg_catalog.count(*)
  FROM public.dialog_messages AS m
 WHERE m.dialog_id = $1
