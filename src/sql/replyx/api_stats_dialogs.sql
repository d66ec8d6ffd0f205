-- How many dialogs of an assistant have begun since a time.
-- @arg user_id int4
-- @arg assistant_id int4
-- @arg since text
-- @column dialogs int8
-- @server 14+
SELECT pg_catalog.count(*) AS dialogs
  FROM public.dialogs AS d
 WHERE d.user_id = $1::pg_catalog.int4
   AND d.assistant_id = $2::pg_catalog.int4
   AND d.started_at >= ($3::pg_catalog.timestamptz AT TIME ZONE 'UTC');
