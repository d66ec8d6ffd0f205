-- A table, and of a partitioned one all its partitions: what CREATE INDEX on it would read.
-- @arg    name    text  as regclass reads it
-- @column id      oid
-- @column path    text  below the data folder; "": it has no file
-- @column rows    float8
-- @column pages   int4
-- @column visible int4
-- @column blocks  int8  of the file
-- @server 14+
SELECT c.oid AS id,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_filepath(c.oid)::text ELSE '' END AS path,
       c.reltuples::pg_catalog.float8 AS rows,
       c.relpages AS pages,
       c.relallvisible AS visible,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END
           / pg_catalog.current_setting('block_size')::pg_catalog.int8 AS blocks
  FROM pg_catalog.pg_class c
 WHERE c.oid = ANY (ARRAY(SELECT pg_catalog.to_regclass($1)::pg_catalog.oid
                          UNION
                         SELECT t.relid::pg_catalog.oid
                           FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) t))
 ORDER BY c.oid
