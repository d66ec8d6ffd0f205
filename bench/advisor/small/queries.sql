-- name: of_buyer
-- weight: 10
SELECT id, placed, total FROM purchase WHERE buyer_id = 4242 ORDER BY placed DESC, id DESC LIMIT 10;

-- name: open_queue
-- weight: 5
SELECT id, buyer_id FROM purchase WHERE status = 'open' ORDER BY placed, id LIMIT 50;

-- name: of_day
-- weight: 2
SELECT count(*), sum(total) FROM purchase WHERE placed >= timestamp '2025-03-10' AND placed < timestamp '2025-03-11';

-- name: large_of_buyer
-- weight: 2
SELECT count(*) FROM purchase WHERE buyer_id = 77 AND total > 90000;

-- name: by_email
-- weight: 8
SELECT id, city FROM buyer WHERE lower(email) = 'buyer123456@example.org';

-- name: city
-- weight: 1
SELECT b.id, p.id, p.total FROM buyer AS b JOIN purchase AS p ON p.buyer_id = b.id
 WHERE b.city = 17 AND p.placed >= timestamp '2025-10-01' ORDER BY b.id, p.id;

-- name: article
-- weight: 3
SELECT sum(amount), sum(amount * price) FROM piece WHERE article = 999;

-- name: article_buyers
-- weight: 1
SELECT count(DISTINCT p.buyer_id) FROM piece AS i JOIN purchase AS p ON p.id = i.purchase_id WHERE i.article = 1234 AND p.status = 'back';
