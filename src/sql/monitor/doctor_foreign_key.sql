-- Foreign keys whose columns no index begins with: each DELETE of what they point to reads the whole
-- table. Small tables do not matter.
-- @arg least_bytes int8 tables smaller than this are left out, unless they have 10,000 rows
-- @column relation text
-- @column name text
-- @column columns text quoted, with commas
-- @column target text
-- @column bytes int8 of the table, as of its last vacuum or analyze
-- @column deletes int8 rows deleted from, or updated in, what it points to
-- @server 14+
SELECT k.conrelid::pg_catalog.regclass::pg_catalog.text, pg_catalog.quote_ident(k.conname),
       (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY x.number)
          FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS x (attnum, number)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = x.attnum),
       k.confrelid::pg_catalog.regclass::pg_catalog.text,
       c.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8,
       COALESCE(s.n_tup_del + s.n_tup_upd, 0)
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = k.confrelid
  LEFT JOIN pg_catalog.pg_stat_all_tables AS o ON o.relid = k.conrelid
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
