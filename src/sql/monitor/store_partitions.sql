-- Partitions to make (from yesterday to the day after tomorrow, this month and the next) and to drop.
-- @arg keep_raw_us int8
-- @arg keep_minutes_us int8
-- @arg keep_hours_us int8
-- @column parent text
-- @column name text
-- @column lower text
-- @column upper text
-- @column is_expired bool drop it; else make it
-- @server 14+
WITH kind (parent, step, keep_us) AS (
    VALUES ('sample', '1 day'::interval, $1::int8), ('statement_sample', '1 day', $1),
           ('sample_minute', '1 day', $2::int8), ('statement_minute', '1 day', $2),
           ('session_sample', '1 day', $2), ('relation_sample', '1 day', $2),
           ('sample_hour', '1 month', $3::int8), ('statement_hour', '1 month', $3)
), child AS (
    SELECT k.parent, k.step, k.keep_us, c.relname::text AS name,
           pg_catalog.to_timestamp(pg_catalog.rpad(pg_catalog.substring(c.relname::text, '_p([0-9]+)$'), 8, '01'),
                                   'YYYYMMDD') AS lower
      FROM kind AS k
      JOIN pg_catalog.pg_class AS p ON p.relname = k.parent
      JOIN pg_catalog.pg_namespace AS n ON n.oid = p.relnamespace AND n.nspname = 'pgmend'
      JOIN pg_catalog.pg_inherits AS i ON i.inhparent = p.oid
      JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
     WHERE c.relname ~ '_p[0-9]{6}([0-9]{2})?$'
), wanted AS (
    SELECT k.parent, k.step, d.lower,
           k.parent || '_p' || pg_catalog.to_char(d.lower,
               CASE WHEN k.step = '1 day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END) AS name
      FROM kind AS k
     CROSS JOIN LATERAL pg_catalog.generate_series(
               pg_catalog.date_trunc(CASE WHEN k.step = '1 day' THEN 'day' ELSE 'month' END,
                   pg_catalog.now() - '1 day'::interval, 'UTC'),
               pg_catalog.now() + k.step + CASE WHEN k.step = '1 day' THEN '1 day' ELSE '0' END::interval,
               k.step) AS d (lower)
)
SELECT w.parent, w.name, w.lower::text, (w.lower + w.step)::text, false
  FROM wanted AS w
 WHERE NOT EXISTS (SELECT 1 FROM child AS c WHERE c.name = w.name)
 UNION ALL
SELECT c.parent, c.name, c.lower::text, (c.lower + c.step)::text, true
  FROM child AS c
 WHERE c.lower + c.step <= pg_catalog.now() - c.keep_us * '1 microsecond'::interval
