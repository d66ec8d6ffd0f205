-- Estimated waste in the biggest tables and B-tree indexes, from the planner's statistics: what the
-- rows need at the fill factor, against the pages of the last vacuum or analyze. Without any lock.
-- Deduplication makes an index smaller than estimated, which then counts as no waste.
-- @arg most_rows int4
-- @column datname text
-- @column schemaname text
-- @column relname text the table
-- @column indexrelname text empty for the table itself
-- @column size_bytes int8
-- @column bloat_bytes float8 NaN: not known (no statistics, or the role may not see them)
-- @column bloat_ratio float8 of the size; NaN: not known
-- @column relid oid of table or index
-- @server 14+
-- 24 bytes are a page's header, 4 a line pointer, 23 a row's header, 8 an index entry's; rows begin at
-- multiples of 8 bytes.
WITH biggest AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relnamespace, c.relkind, c.relpages, c.reltuples, c.relnatts,
           COALESCE(pg_catalog.substring(c.reloptions::text, 'fillfactor=([0-9]+)')::float8,
                    CASE WHEN c.relkind = 'i' THEN 90 ELSE 100 END) / 100 AS fill
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_am AS m ON m.oid = c.relam AND m.amname IN ('heap', 'btree')
     WHERE c.relkind IN ('r', 'm', 'i')
       AND c.relpersistence <> 't'
       AND c.relpages >= 128
       AND c.reltuples >= 0
       AND c.relnamespace <> ALL (ARRAY['pg_catalog'::regnamespace, 'pg_toast'::regnamespace,
                                        'information_schema'::regnamespace]::oid[])
     ORDER BY c.relpages DESC, c.oid
     LIMIT $1::int4
), part AS MATERIALIZED (
    SELECT b.oid, b.oid AS table_oid, a.attnum AS number
      FROM biggest AS b
      JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE b.relkind <> 'i'
    UNION ALL
    SELECT b.oid, i.indrelid, k.number
      FROM biggest AS b
      JOIN pg_catalog.pg_index AS i ON i.indexrelid = b.oid
     CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) AS k (number)
     WHERE b.relkind = 'i'
), width AS MATERIALIZED (
    SELECT p.oid,
           pg_catalog.sum((1 - s.null_frac) * s.avg_width) AS bytes,
           pg_catalog.bool_and(s.attname IS NOT NULL) AS is_known,
           pg_catalog.bool_or(s.null_frac > 0) AS has_nulls
      FROM part AS p
      JOIN pg_catalog.pg_class AS t ON t.oid = p.table_oid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
      LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = p.number AND p.number > 0
      LEFT JOIN pg_catalog.pg_stats AS s
        ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = a.attname
       AND NOT s.inherited
     GROUP BY p.oid
), need AS (
    SELECT b.*, z.size AS block,
           CASE WHEN w.is_known AND b.relkind = 'i'
                THEN pg_catalog.ceil(b.reltuples
                         / GREATEST(pg_catalog.floor((z.size - 40) * b.fill
                               / (4 + pg_catalog.ceil((8 + w.bytes
                                      + CASE WHEN w.has_nulls THEN 8 ELSE 0 END) / 8) * 8)), 1))
                     * 1.01 + 1
                WHEN w.is_known
                THEN pg_catalog.ceil(b.reltuples
                         * (4 + pg_catalog.ceil((pg_catalog.ceil((23 + CASE WHEN w.has_nulls
                                THEN (b.relnatts + 7) / 8 ELSE 0 END) / 8.0) * 8 + w.bytes) / 8) * 8)
                         / ((z.size - 24) * b.fill))
           END AS pages
      FROM biggest AS b
     CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::float8 AS size) AS z
      LEFT JOIN width AS w ON w.oid = b.oid
)
SELECT pg_catalog.current_database()::text, n.nspname::text,
       COALESCE(t.relname, d.relname)::text,
       CASE WHEN d.relkind = 'i' THEN d.relname::text ELSE '' END,
       (d.relpages * d.block)::int8,
       -- GREATEST leaves NULL out: what is not known would be none.
       CASE WHEN d.pages IS NULL THEN 'NaN'
            ELSE GREATEST(d.relpages - d.pages, 0) * d.block END,
       CASE WHEN d.pages IS NULL THEN 'NaN'
            ELSE GREATEST(d.relpages - d.pages, 0) / d.relpages END,
       d.oid
  FROM need AS d
  JOIN pg_catalog.pg_namespace AS n ON n.oid = d.relnamespace
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = d.oid
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
 ORDER BY d.relpages DESC, d.oid;
