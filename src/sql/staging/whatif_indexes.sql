-- An index that was just made, and its parts on the partitions of its table; parts that were there before are not ours.
-- @arg    name   text  as regclass reads it
-- @column id     oid
-- @column method text
-- @column path   text    below the data folder; "": it has no file
-- @column width  float8  bytes of the keys on average
-- @column parent oid     its table
-- @server 14+
WITH RECURSIVE tree (id) AS (
    SELECT pg_catalog.to_regclass($1)::pg_catalog.oid
     UNION ALL
    SELECT h.inhrelid
      FROM tree t
      JOIN pg_catalog.pg_inherits h ON h.inhparent = t.id
     WHERE h.inhrelid > pg_catalog.to_regclass($1)::pg_catalog.oid
)
SELECT c.oid AS id,
       m.amname::text AS method,
       CASE WHEN c.relkind = 'i' THEN pg_catalog.pg_relation_filepath(c.oid)::text ELSE '' END AS path,
       coalesce(w.width, 8)::pg_catalog.float8 AS width,
       i.indrelid AS parent
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_am m ON m.oid = c.relam
  JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
 CROSS JOIN LATERAL (
           SELECT pg_catalog.sum(coalesce(s.stawidth, CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END)) AS width
             FROM pg_catalog.pg_attribute a
             LEFT JOIN pg_catalog.pg_statistic s ON NOT s.stainherit AND s.starelid = i.indrelid
              AND s.staattnum = i.indkey[a.attnum - 1] AND i.indkey[a.attnum - 1] <> 0
            WHERE a.attrelid = c.oid AND a.attnum <= i.indnkeyatts) w
 WHERE c.oid = ANY (ARRAY(SELECT t.id FROM tree t))
 ORDER BY c.oid
