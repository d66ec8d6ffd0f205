-- Whether an index is used; of an index of a partitioned table, those of its partitions together.
--
-- @arg schema text
-- @arg name   text
-- @column is_valid   bool   valid, ready and live
-- @column is_rule    bool   unique or an exclusion: it keeps rows out, whoever reads it
-- @column scans      int8   since the statistics were reset
-- @column bytes      int8
-- @server 14+
SELECT i.indisvalid AND i.indisready AND i.indislive,
       i.indisunique OR i.indisexclusion,
       coalesce(u.scans, 0)::pg_catalog.int8,
       coalesce(u.bytes, 0)::pg_catalog.int8
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
     SELECT pg_catalog.sum(s.idx_scan) AS scans,
            pg_catalog.sum(pg_catalog.pg_relation_size(p.id)) AS bytes
       FROM (SELECT i.indexrelid AS id
             UNION
             SELECT t.relid FROM pg_catalog.pg_partition_tree(i.indexrelid) AS t) AS p
       LEFT JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = p.id) AS u
 WHERE n.nspname = $1
   AND c.relname = $2
