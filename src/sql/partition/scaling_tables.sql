-- How each table would stand on a cluster that is distributed by one column: with the column, one join away from it,
-- small enough to be copied everywhere, or left on the coordinator.
-- @arg tenant text the column, as "user_id"
-- @arg small_bytes int8 a table without the column below this is a reference table
-- @column name text quoted
-- @column relname text
-- @column bytes int8
-- @column class text distributed, root (its key is what the column refers to), join, reference or local
-- @column key text? the column to distribute by
-- @column via text? of a table one join away: the column and the table it gets the column from
-- @column lacking text? unique constraints and indexes that would have to contain the key, with commas
-- @column foreign_keys text? foreign keys between distributed tables that lack the key, with commas
-- @server 14+
WITH t AS (
    SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.relname,
           pg_catalog.pg_total_relation_size(c.oid) AS bytes,
           (SELECT a.attnum FROM pg_catalog.pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attname = $1::text AND a.attnum > 0 AND NOT a.attisdropped) AS tenant
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend')
), f AS (
    SELECT k.oid, k.conname, k.conrelid, k.confrelid, k.conkey, k.confkey
      FROM pg_catalog.pg_constraint AS k WHERE k.contype = 'f' AND k.conparentid = 0
), r AS (
    SELECT DISTINCT f.confrelid AS oid, f.confkey[1] AS key
      FROM f JOIN t ON t.oid = f.conrelid
     WHERE f.conkey = ARRAY[t.tenant] AND pg_catalog.array_length(f.confkey, 1) = 1
), s AS (
    SELECT t.*, COALESCE(t.tenant, r.key) AS key, j.via,
           CASE WHEN r.oid IS NOT NULL AND t.tenant IS NULL THEN 'root'
                WHEN t.tenant IS NOT NULL THEN 'distributed'
                WHEN j.via IS NOT NULL THEN 'join'
                WHEN t.bytes < $2 THEN 'reference' ELSE 'local' END AS class
      FROM t
      LEFT JOIN r ON r.oid = t.oid
      LEFT JOIN LATERAL (
           SELECT pg_catalog.quote_ident(a.attname) || ' → ' || o.name AS via
             FROM f JOIN t AS o ON o.oid = f.confrelid AND o.tenant IS NOT NULL
             JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
            WHERE f.conrelid = t.oid
            ORDER BY f.conname LIMIT 1) AS j ON true
)
SELECT s.name, s.relname::text, s.bytes, s.class,
       (SELECT a.attname::text FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = s.oid AND a.attnum = s.key), s.via,
       CASE WHEN s.class IN ('distributed', 'join') THEN
            (SELECT pg_catalog.string_agg(x.indexrelid::pg_catalog.regclass::text, ', ' ORDER BY x.indexrelid)
               FROM pg_catalog.pg_index AS x
              WHERE x.indrelid = s.oid AND x.indisunique
                AND (s.key IS NULL OR NOT s.key = ANY (x.indkey[0:x.indnkeyatts - 1]))) END,
       CASE WHEN s.class IN ('distributed', 'join') THEN
            (SELECT pg_catalog.string_agg(f.conname::text, ', ' ORDER BY f.conname)
               FROM f JOIN s AS o ON o.oid = f.confrelid AND o.class IN ('distributed', 'join')
              WHERE f.conrelid = s.oid AND (s.key IS NULL OR NOT s.key = ANY (f.conkey))) END
  FROM s
 ORDER BY pg_catalog.array_position(ARRAY['root', 'distributed', 'join', 'reference', 'local'], s.class), s.bytes DESC,
          s.name;
