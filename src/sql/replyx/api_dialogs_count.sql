-- How many dialogs a user has.
-- @arg    user_id  int4
-- @column count    int8
-- @server 14+
SELECT pg_catalog.count(*)
  FROM public.dialogs AS d
 WHERE d.user_id = $1
