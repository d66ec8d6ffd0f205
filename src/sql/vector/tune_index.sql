-- The size of an index, of all its parts if it stands on partitions.
-- @arg    name  text schema and name, quoted
-- @column bytes int8
-- @server 14+
SELECT coalesce((SELECT pg_catalog.sum(pg_catalog.pg_relation_size(p.relid))
                   FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) p
                  WHERE p.isleaf),
                pg_catalog.pg_relation_size(pg_catalog.to_regclass($1)), 0)::pg_catalog.int8 AS bytes
