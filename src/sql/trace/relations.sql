-- Relations of the user with the file that holds their rows: a rewrite gives them another one.
-- @column oid oid
-- @column schema text
-- @column name text
-- @column kind text r, p, m, v, f, S, i, I as in pg_class
-- @column file oid 0: it has none
-- @column table_oid oid of an index; else 0
-- @server 14+
SELECT c.oid,
       n.nspname::text,
       c.relname::text,
       c.relkind::text,
       COALESCE(pg_catalog.pg_relation_filenode(c.oid), 0::oid),
       COALESCE(i.indrelid, 0::oid)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
 WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S', 'i', 'I')
   AND c.oid >= 16384
   AND n.nspname <> 'pg_toast' AND n.nspname !~ '^pg_(toast_)?temp_'
 ORDER BY c.oid;
