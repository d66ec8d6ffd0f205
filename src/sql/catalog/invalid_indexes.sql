-- Indexes that are not usable, with whether they still cost writes.
-- @column oid oid
-- @column schema text
-- @column name text
-- @column table_name text
-- @column is_unique bool
-- @column is_ready bool writes keep it up, and a unique one refuses rows
-- @column bytes int8
-- @column is_building bool
-- @server 14+
SELECT c.oid, n.nspname, c.relname, t.relname, i.indisunique, i.indisready,
       COALESCE(pg_catalog.pg_relation_size(c.oid), 0),
       EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p
                WHERE p.index_relid = c.oid)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
 WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
   AND c.relkind = 'i'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname;
