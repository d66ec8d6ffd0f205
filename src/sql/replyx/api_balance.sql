-- Balance of a user and the last ten transactions as the answer's JSON. Who has no balance yet has 0.
-- @arg    user_id  int4
-- @column body     text
-- @server 14+
WITH mine AS MATERIALIZED (
    SELECT t.id, t.amount, t.transaction_type, t.description, t.balance_before, t.balance_after, t.created_at
      FROM public.balance_transactions AS t
     WHERE t.user_id = $1
), recent AS (
    SELECT m.*
      FROM mine AS m
     ORDER BY m.created_at DESC, m.id DESC
     LIMIT 10
)
SELECT pg_catalog.concat(
           '{"balance":', pg_catalog.to_json(COALESCE(b.balance, 0)),
           ',"total_spent":', pg_catalog.to_json(COALESCE(b.total_spent, 0)),
           ',"total_topped_up":', pg_catalog.to_json(COALESCE(b.total_topped_up, 0)),
           ',"transactions_count":', (SELECT pg_catalog.count(*) FROM mine),
           ',"recent_transactions":[', (SELECT pg_catalog.string_agg(pg_catalog.row_to_json(r)::text, ','
                                                                     ORDER BY r.created_at DESC, r.id DESC)
                                          FROM recent AS r), ']}')
  FROM (SELECT $1::int4 AS id) AS u
  LEFT JOIN public.user_balances AS b ON b.user_id = u.id
