-- How many messages an assistant has sent since a time, whenever their dialogs began.
-- @arg user_id int4
-- @arg assistant_id int4
-- @arg since text
-- @column messages int8
-- @server 14+
SELECT pg_catalog.count(*) AS messages
  FROM public.dialog_messages AS m
  JOIN public.dialogs AS d ON d.id = m.dialog_id
 WHERE d.user_id = $1::pg_catalog.int4
   AND d.assistant_id = $2::pg_catalog.int4
   AND m.sender::pg_catalog.text = 'assistant'
   AND m.timestamp >= ($3::pg_catalog.timestamptz AT TIME ZONE 'UTC');
