-- Rows in the proportions of the specification: an order has one to seven lines, dates of a line follow those of its
-- order, a third of the customers never order, statuses and flags follow from the dates. The same for every run:
-- numbers come from a hash of the row's key.
CREATE FUNCTION r(key int8, salt int8, n int8) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT ((hashint8extended(key, salt) & 9223372036854775807) % n)::int';
CREATE FUNCTION pick(key int8, salt int8, VARIADIC words text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT words[1 + r(key, salt, cardinality(words))]';
CREATE FUNCTION say(key int8, salt int8, n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(pick(key, salt * 100 + i, 'furiously', 'carefully', 'slyly', 'quickly', 'final', 'ironic', 'regular',
        'pending', 'special', 'express', 'bold', 'even', 'requests', 'deposits', 'accounts', 'packages', 'theodolites',
        'instructions', 'foxes', 'pinto beans', 'asymptotes', 'platelets', 'sleep', 'haggle', 'nag', 'wake'), ' ')
      FROM generate_series(1, n) AS i $$;
CREATE FUNCTION colour(key int8, salt int8) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT pick(key, salt, 'almond', 'antique', 'azure', 'beige', 'black', 'blue', 'blush', 'brown', 'burlywood', 'chiffon',
        'chocolate', 'coral', 'cornsilk', 'cream', 'cyan', 'dark', 'dodger', 'drab', 'firebrick', 'floral', 'forest', 'frosted',
        'ghost', 'gold', 'green', 'grey', 'honeydew', 'hot', 'indian', 'ivory', 'khaki', 'lace', 'lavender', 'lawn', 'lemon',
        'lime', 'linen', 'magenta', 'maroon', 'metallic', 'mint', 'misty', 'navy', 'olive', 'orange', 'orchid', 'pale') $$;
INSERT INTO region SELECT k, (ARRAY['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[k + 1], say(k, 1, 8)
  FROM generate_series(0, 4) AS k;
INSERT INTO nation SELECT k - 1, name, region, say(k, 2, 8)
  FROM unnest(ARRAY['ALGERIA', 'ARGENTINA', 'BRAZIL', 'CANADA', 'EGYPT', 'ETHIOPIA', 'FRANCE', 'GERMANY', 'INDIA', 'INDONESIA',
       'IRAN', 'IRAQ', 'JAPAN', 'JORDAN', 'KENYA', 'MOROCCO', 'MOZAMBIQUE', 'PERU', 'CHINA', 'ROMANIA', 'SAUDI ARABIA',
       'VIETNAM', 'RUSSIA', 'UNITED KINGDOM', 'UNITED STATES'],
       ARRAY[0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1]) WITH ORDINALITY AS n (name, region, k);
INSERT INTO supplier SELECT k, 'Supplier#' || lpad(k::text, 9, '0'), md5(k::text), r(k, 3, 25),
       10 + r(k, 3, 25) || '-' || 100 + r(k, 4, 900) || '-' || 100 + r(k, 5, 900) || '-' || 1000 + r(k, 6, 9000),
       r(k, 7, 1100000) / 100.0 - 999.99,
       say(k, 8, 6) || CASE WHEN r(k, 9, 200) = 0 THEN ' Customer Complaints' ELSE '' END
  FROM generate_series(1, (10000 * :scale)::int) AS k;
INSERT INTO customer SELECT k, 'Customer#' || lpad(k::text, 9, '0'), md5(k::text), r(k, 11, 25),
       10 + r(k, 11, 25) || '-' || 100 + r(k, 12, 900) || '-' || 100 + r(k, 13, 900) || '-' || 1000 + r(k, 14, 9000),
       r(k, 15, 1100000) / 100.0 - 999.99,
       pick(k, 16, 'AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'), left(say(k, 17, 10), 117)
  FROM generate_series(1, (150000 * :scale)::int) AS k;
INSERT INTO part SELECT k, colour(k, 21) || ' ' || colour(k, 22) || ' ' || colour(k, 23) || ' ' || colour(k, 24),
       'Manufacturer#' || 1 + r(k, 25, 5), 'Brand#' || 1 + r(k, 25, 5) || 1 + r(k, 26, 5),
       pick(k, 27, 'STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO') || ' '
       || pick(k, 28, 'ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED') || ' '
       || pick(k, 29, 'TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'),
       1 + r(k, 30, 50), pick(k, 31, 'SM', 'LG', 'MED', 'JUMBO', 'WRAP') || ' '
       || pick(k, 32, 'CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM'),
       (90000 + (k / 10) % 20001 + 100 * (k % 1000)) / 100.0, left(say(k, 33, 2), 23)
  FROM generate_series(1, (200000 * :scale)::int) AS k;
-- Four suppliers a part, never one twice; lines buy from one of these four.
CREATE FUNCTION supplier_of(part int, i int, suppliers int) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT (part + i * (suppliers / 4 + (part - 1) / suppliers)) % suppliers + 1';
INSERT INTO partsupp SELECT k, supplier_of(k, i, (10000 * :scale)::int), 1 + r(k * 4 + i, 41, 9999), (100 + r(k * 4 + i, 42, 99901)) / 100.0,
       say(k * 4 + i, 43, 12)
  FROM generate_series(1, (200000 * :scale)::int) AS k, generate_series(0, 3) AS i;
CREATE TEMP TABLE o AS SELECT k AS key, c - c % 3 + 1 AS customer, date '1992-01-01' + r(k, 52, 2406) AS day
  FROM generate_series(1, (1500000 * :scale)::int) AS k, LATERAL (SELECT r(k, 51, (150000 * :scale)::int - 2)) AS x (c);
INSERT INTO lineitem SELECT o.key, p.part, supplier_of(p.part, r(n.n, 62, 4), (10000 * :scale)::int), i, q.q,
       q.q * (90000 + (p.part / 10) % 20001 + 100 * (p.part % 1000)) / 100.0, r(n.n, 64, 11) / 100.0, r(n.n, 65, 9) / 100.0,
       CASE WHEN d.ship + d.way <= date '1995-06-17' THEN pick(n.n, 69, 'R', 'A') ELSE 'N' END,
       CASE WHEN d.ship > date '1995-06-17' THEN 'O' ELSE 'F' END, d.ship, o.day + 30 + r(n.n, 67, 61), d.ship + d.way,
       pick(n.n, 70, 'DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'),
       pick(n.n, 71, 'REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'), left(say(n.n, 72, 4), 44)
  FROM o, LATERAL generate_series(1, 1 + r(o.key, 60, 7)) AS i, LATERAL (SELECT o.key::int8 * 8 + i) AS n (n),
       LATERAL (SELECT 1 + r(n.n, 61, (200000 * :scale)::int8)) AS p (part), LATERAL (SELECT 1 + r(n.n, 63, 50)) AS q (q),
       LATERAL (SELECT o.day + 1 + r(n.n, 66, 121), 1 + r(n.n, 68, 30)) AS d (ship, way)
 ORDER BY o.key, i;
INSERT INTO orders SELECT o.key, o.customer, l.status, l.price, o.day,
       pick(o.key, 53, '1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'),
       'Clerk#' || lpad(r(o.key, 54, greatest(1, (1000 * :scale)::int))::text, 9, '0'), 0, left(say(o.key, 55, 7), 79)
  FROM o JOIN (SELECT l_orderkey, sum(l_extendedprice * (1 + l_tax) * (1 - l_discount)) AS price,
                      CASE WHEN bool_and(l_linestatus = 'F') THEN 'F' WHEN bool_and(l_linestatus = 'O') THEN 'O' ELSE 'P' END
                 FROM lineitem GROUP BY l_orderkey) AS l (key, price, status) ON l.key = o.key
 ORDER BY o.key;
