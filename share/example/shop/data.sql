-- Rows for the shop: 20,000 customers, 500 items, 400,000 orders of two lines on average. About 10 s.
--     psql -f share/example/shop/data.sql
\set ON_ERROR_STOP 1
BEGIN;
SELECT setseed(0.5);
INSERT INTO customers (name, email)
SELECT 'customer ' || n, 'customer' || n || '@example.com' FROM generate_series(1, 20000) AS n;
INSERT INTO items (title, price)
SELECT 'item ' || n, 1 + n % 90 FROM generate_series(1, 500) AS n;
INSERT INTO orders (customer_id, status, total, created_at)
SELECT 1 + floor(random() * 20000), (ARRAY['new', 'paid', 'sent', 'sent', 'sent'])[1 + floor(random() * 5)::int],
       round((random() * 200)::numeric, 2), now() - n * interval '2 minutes'
  FROM generate_series(400000, 1, -1) AS n;
INSERT INTO order_lines (order_id, position, item_id, quantity)
SELECT o.id, p, 1 + floor(random() * 500), 1 + floor(random() * 3)
  FROM orders AS o, generate_series(1, 1 + o.id % 3) AS p;
COMMIT;
VACUUM (ANALYZE);
