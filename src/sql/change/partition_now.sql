-- A relation by its name, as the exchange of a table for a partitioned one needs to see it.
-- @arg schema text
-- @arg name text
-- @column oid oid
-- @column kind text relkind
-- @column may_own bool the role may alter it
-- @column key text? the column whose ranges its partitions are; NULL: not partitioned by ranges of one column
-- @column key_type text?
-- @server 14+
SELECT c.oid, c.relkind::text, pg_catalog.pg_has_role(SESSION_USER, c.relowner, 'USAGE'), a.attname::text,
       pg_catalog.format_type(a.atttypid, NULL)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_partitioned_table AS p
         ON p.partrelid = c.oid AND p.partstrat = 'r' AND p.partnatts = 1
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
 WHERE n.nspname = $1
   AND c.relname = $2;
