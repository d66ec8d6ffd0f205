CREATE FUNCTION r(key int8, salt int8, n int8) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT ((hashint8extended(key, salt) & 9223372036854775807) % n)::int';
INSERT INTO buyer SELECT k, r(k, 1, 300), 'buyer' || r(k, 2, 1000000000) || '@example.org', date '2020-01-01' + r(k, 3, 2000)
  FROM generate_series(1, 20000) AS k;
INSERT INTO purchase SELECT k, 1 + r(k, 11, 20000), CASE WHEN r(k, 12, 100) < 2 THEN 'open' WHEN r(k, 12, 100) < 10 THEN 'back' ELSE 'done' END,
       timestamp '2025-01-01' + k * interval '3 min' + r(k, 13, 3600) * interval '1 s', r(k, 14, 100000), repeat(md5(k::text), 2)
  FROM generate_series(1, 150000) AS k;
INSERT INTO piece SELECT k, i, 1 + r(k * 4 + i, 21, 5000), 1 + r(k * 4 + i, 22, 5), r(k * 4 + i, 23, 10000)
  FROM generate_series(1, 150000) AS k, generate_series(1, 2) AS i;
