-- The partitions and children of a table, and how far ahead of now a partitioned one is prepared.
-- @arg table_oid oid
-- @column oid oid
-- @column schema text
-- @column name text
-- @column bound text? as the server writes it; NULL: a child that is no partition
-- @column is_default bool
-- @column upper text? where a range ends, NULL: it has no end or is none
-- @column is_ahead bool it begins after now
-- @column rows float8 estimate
-- @column bytes int8
-- @server 14+
SELECT c.oid, n.nspname::text, c.relname::text, pg_catalog.pg_get_expr(c.relpartbound, c.oid),
       COALESCE(pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', false), b.parts[2],
       COALESCE(pg_catalog.left(b.parts[1], 19)::timestamp > pg_catalog.timezone('UTC', pg_catalog.now()), false),
       c.reltuples::float8, pg_catalog.pg_total_relation_size(c.oid)
  FROM pg_catalog.pg_inherits AS h
  JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL pg_catalog.regexp_match(pg_catalog.pg_get_expr(c.relpartbound, c.oid),
                      '^FOR VALUES FROM \((?:''([0-9][^'']*)''|MINVALUE)\) TO \(''([0-9][^'']*)''\)$') AS b (parts)
         ON true
 WHERE h.inhparent = $1::oid
 ORDER BY b.parts[2]::timestamp NULLS LAST, c.relname;
