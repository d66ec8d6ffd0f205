-- How many balance transactions a user has.
-- @arg    user_id  int4
-- @column count    int8
-- @server 14+
SELECT pg_catalog.count(*)
  FROM public.balance_transactions AS t
 WHERE t.user_id = $1
