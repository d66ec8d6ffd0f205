-- The balance of a user; no row for one who has none yet.
-- @arg    user_id          int4
-- @column balance          text
-- @column total_spent      text
-- @column total_topped_up  text
-- @server 14+
SELECT b.balance::text,
       b.total_spent::text,
       b.total_topped_up::text
  FROM public.user_balances AS b
 WHERE b.user_id = $1
