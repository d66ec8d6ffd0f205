-- What REINDEX INDEX CONCURRENTLY of an index left behind: unusable indexes of its table with its
-- definition, named by the server after it. It cuts long names to make room for the ending.
-- @arg table_oid oid
-- @arg name text
-- @arg definition text what follows the table in CREATE INDEX
-- @column oid oid
-- @column schema text
-- @column name text
-- @server 14+
SELECT c.oid, n.nspname, c.relname
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
 CROSS JOIN LATERAL (SELECT pg_catalog.regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '')) AS s (stem)
 WHERE i.indrelid = $1::oid
   AND NOT (i.indisvalid AND i.indisready AND i.indislive)
   AND s.stem <> c.relname
   AND (s.stem = $2::text
        OR pg_catalog.octet_length(c.relname::text) > 58 AND pg_catalog.starts_with($2::text, s.stem))
   AND pg_catalog.substr(pg_catalog.pg_get_indexdef(c.oid), pg_catalog.length(
           'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
           || pg_catalog.quote_ident(c.relname) || ' ON '
           || pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname)
           || ' ') + 1) = $3::text
 ORDER BY c.oid;
