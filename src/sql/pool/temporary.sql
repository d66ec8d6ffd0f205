-- Temporary tables that sessions of this database have now.
-- @column tables int8
-- @column example text
-- @server 14+
SELECT pg_catalog.count(*),
       COALESCE(pg_catalog.min(n.nspname || '.' || c.relname), '')
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relpersistence = 't'
   AND c.relkind IN ('r', 'p', 'v', 'S');
