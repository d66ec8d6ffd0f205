-- Foreign keys whose columns no index begins with: each DELETE of what they point to reads the whole
-- table. Small tables do not matter.
-- @arg least_bytes int8 tables smaller than this are left out, unless they have 10,000 rows
-- @column relation text
-- @column name text
-- @column columns text quoted, with commas
-- @column target text
-- @column bytes int8 of the table, as of its last vacuum or analyze
-- @column deletes int8 rows deleted from, or updated in, what it points to
-- @column index_name text one that is free
-- @server 14+
SELECT k.conrelid::pg_catalog.regclass::pg_catalog.text, pg_catalog.quote_ident(k.conname),
       (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY x.number)
          FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS x (attnum, number)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = x.attnum),
       k.confrelid::pg_catalog.regclass::pg_catalog.text,
       c.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8,
       COALESCE(s.n_tup_del + s.n_tup_upd, 0), free.name
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = k.confrelid
  LEFT JOIN pg_catalog.pg_stat_all_tables AS o ON o.relid = k.conrelid
  CROSS JOIN LATERAL (
       SELECT pg_catalog.left(c.relname || '_' || pg_catalog.string_agg(a.attname, '_' ORDER BY x.number), 50)
         FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS x (attnum, number)
         JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = x.attnum) AS stem (name)
  CROSS JOIN LATERAL (
       SELECT y.name
         FROM pg_catalog.generate_series(1, 100) AS i (number)
        CROSS JOIN LATERAL (SELECT stem.name || '_idx' || CASE WHEN i.number > 1 THEN i.number::pg_catalog.text
                                                          ELSE '' END) AS y (name)
        WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class AS o
                           WHERE o.relnamespace = c.relnamespace
                             AND o.relname = y.name::pg_catalog.name)
        ORDER BY i.number
        LIMIT 1) AS free (name)
 WHERE k.contype = 'f' AND NOT c.relispartition
   AND (c.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8 >= $1::int8
        OR o.n_live_tup >= 10000)
   AND NOT EXISTS (
       SELECT 1 FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = k.conrelid AND i.indisvalid
          AND (i.indpred IS NULL
               OR pg_catalog.pg_get_expr(i.indpred, i.indrelid) ~ '^\([^()]+ IS NOT NULL\)$')
          AND pg_catalog.cardinality(k.conkey) <= i.indnkeyatts
          AND (i.indkey::pg_catalog.int2[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey)
 ORDER BY 5 DESC, 1, 2
 LIMIT 200;
