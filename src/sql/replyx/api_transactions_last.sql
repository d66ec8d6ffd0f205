-- The last ten balance transactions of a user, newest first.
-- @arg    user_id           int4
-- @column id                int4
-- @column amount            text
-- @column transaction_type  text
-- @column description       text?
-- @column balance_before    text
-- @column balance_after     text
-- @column created_at        text
-- @server 14+
SELECT t.id,
       t.amount::text,
       t.transaction_type::text,
       t.description::text,
       t.balance_before::text,
       t.balance_after::text,
       t.created_at::text
  FROM public.balance_transactions AS t
 WHERE t.user_id = $1
 ORDER BY t.created_at DESC, t.id DESC
 LIMIT 10
