-- Periods that follow each other, and how their bounds are written for a column of this type. Bounds of a
-- column with time zone are those of UTC.
-- @arg unit text month or week
-- @arg start text? the first one begins then; NULL: the first beginning that is far enough ahead of now
-- @arg least_days int4 how far that is
-- @arg count int4
-- @arg key_type text
-- @column lower text as a bound is written
-- @column upper text
-- @column suffix text of the partition's name: y2026m12, y2026w49
-- @server 14+
SELECT pg_catalog.to_char(s.at, f.form), pg_catalog.to_char(s.at + u.step, f.form),
       pg_catalog.to_char(s.at, CASE $1 WHEN 'week' THEN '"y"IYYY"w"IW' ELSE '"y"YYYY"m"MM' END)
  FROM (SELECT CASE $1 WHEN 'week' THEN interval '7 days' ELSE interval '1 month' END) AS u (step)
 CROSS JOIN (SELECT pg_catalog.timezone('UTC', pg_catalog.now()) + pg_catalog.make_interval(days => $3)) AS n (soon)
 CROSS JOIN (SELECT CASE $5 WHEN 'date' THEN 'YYYY-MM-DD'
                            WHEN 'timestamp with time zone' THEN 'YYYY-MM-DD HH24:MI:SS"+00"'
                            ELSE 'YYYY-MM-DD HH24:MI:SS' END) AS f (form)
 CROSS JOIN LATERAL (SELECT COALESCE(pg_catalog.left($2, 19)::timestamp,
                                     pg_catalog.date_trunc($1, n.soon) + u.step)) AS b (start)
 CROSS JOIN LATERAL pg_catalog.generate_series(b.start, b.start + ($4 - 1) * u.step, u.step) AS s (at)
 ORDER BY s.at;
