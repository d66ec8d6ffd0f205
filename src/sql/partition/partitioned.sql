-- Tables that are partitioned by ranges.
-- @column schema text
-- @column name text
-- @server 14+
SELECT n.nspname::text, c.relname::text
  FROM pg_catalog.pg_partitioned_table AS p
  JOIN pg_catalog.pg_class AS c ON c.oid = p.partrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE p.partstrat = 'r' AND p.partnatts = 1 AND NOT c.relispartition
 ORDER BY n.nspname, c.relname;
