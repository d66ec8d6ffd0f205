-- All indexes of a table.
-- @arg table_oid oid
-- @column oid oid
-- @column schema text
-- @column name text
-- @column is_unique bool
-- @column is_valid bool
-- @column is_ready bool
-- @column definition text what follows the table in CREATE INDEX
-- @column bytes int8
-- @column constraint_name text?
-- @server 14+
SELECT c.oid, n.nspname, c.relname, i.indisunique, i.indisvalid AND i.indislive, i.indisready,
       pg_catalog.substr(pg_catalog.pg_get_indexdef(c.oid), pg_catalog.length(
           'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
           || pg_catalog.quote_ident(c.relname) || ' ON '
           || CASE WHEN c.relkind = 'I' THEN 'ONLY ' ELSE '' END
           || pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname)
           || ' ') + 1),
       COALESCE(pg_catalog.pg_relation_size(c.oid), 0),
       (SELECT k.conname FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.oid LIMIT 1)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
 WHERE i.indrelid = $1::oid
 ORDER BY n.nspname, c.relname;
