-- Indexes that another valid one of the same table makes needless: the same columns in the same
-- order, or the first ones of a longer index. Classes, collations, order, predicate and expressions
-- have to agree; what enforces something is never the needless one.
-- @column relation text
-- @column name text the needless one, quoted
-- @column other text
-- @column is_same bool the other has no more columns
-- @column bytes int8 as of its last vacuum or analyze
-- @column scans int8 since the statistics were reset
-- @server 14+
WITH index AS (
    SELECT i.indexrelid, i.indrelid, c.relpages, i.indnkeyatts, i.indnatts, c.relam, i.indisunique, i.indisreplident,
           i.indisclustered,
           i.indisprimary OR i.indisexclusion OR EXISTS (
               SELECT 1 FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid) AS is_used,
           i.indkey::pg_catalog.int2[] AS keys,
           i.indclass::pg_catalog.oid[] AS classes,
           i.indcollation::pg_catalog.oid[] AS collations,
           i.indoption::pg_catalog.int2[] AS options,
           COALESCE(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
           COALESCE(pg_catalog.pg_get_expr(i.indexprs, i.indrelid), '') AS expressions
      FROM pg_catalog.pg_index AS i
      JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE i.indisvalid AND c.relkind = 'i' AND NOT c.relispartition
       AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
       AND n.nspname !~ '^pg_')
SELECT a.indrelid::pg_catalog.regclass::pg_catalog.text, a.indexrelid::pg_catalog.regclass::pg_catalog.text,
       pg_catalog.min(b.indexrelid::pg_catalog.regclass::pg_catalog.text),
       pg_catalog.bool_or(b.indnatts = a.indnatts), a.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8,
       COALESCE(pg_catalog.max(s.idx_scan), 0)
  FROM index AS a
  JOIN index AS b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid
  LEFT JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = a.indexrelid
  JOIN pg_catalog.pg_am AS m ON m.oid = a.relam
 WHERE a.relam = b.relam AND a.predicate = b.predicate AND NOT a.is_used
   AND NOT a.indisreplident AND NOT a.indisclustered
   AND CASE WHEN a.indnatts = b.indnatts AND a.indnkeyatts = b.indnkeyatts AND a.keys = b.keys
                 AND a.classes = b.classes AND a.collations = b.collations AND a.options = b.options
                 AND a.expressions = b.expressions
            THEN (NOT a.indisunique OR b.indisunique)
                 AND (b.is_used OR b.indisunique AND NOT a.indisunique OR b.indexrelid < a.indexrelid)
            ELSE m.amname = 'btree' AND NOT a.indisunique AND a.expressions = '' AND b.expressions = ''
                 AND a.indnatts = a.indnkeyatts AND a.indnkeyatts < b.indnkeyatts
                 AND a.keys[0:a.indnkeyatts - 1] = b.keys[0:a.indnkeyatts - 1]
                 AND a.classes[0:a.indnkeyatts - 1] = b.classes[0:a.indnkeyatts - 1]
                 AND a.collations[0:a.indnkeyatts - 1] = b.collations[0:a.indnkeyatts - 1]
                 AND a.options[0:a.indnkeyatts - 1] = b.options[0:a.indnkeyatts - 1] END
 GROUP BY a.indrelid, a.indexrelid, a.relpages
 ORDER BY 5 DESC, 2
 LIMIT 200;
