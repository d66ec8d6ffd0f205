-- Approximate indexes on a vector column or an expression over it, that no constraint needs.
-- @arg table_oid oid
-- @arg column_name text
-- @column oid oid
-- @column schema text
-- @column name text
-- @column access_method text
-- @column definition text what follows the table in CREATE INDEX
-- @column is_valid bool
-- @column bytes int8
-- @column scans int8 since the statistics were last reset
-- @server 14+
SELECT c.oid, n.nspname, c.relname, m.amname,
       pg_catalog.substr(pg_catalog.pg_get_indexdef(c.oid), pg_catalog.length(
           'CREATE INDEX ' || pg_catalog.quote_ident(c.relname) || ' ON '
           || pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname)
           || ' ') + 1),
       i.indisvalid AND i.indisready,
       COALESCE(pg_catalog.pg_relation_size(c.oid), 0),
       COALESCE(pg_catalog.pg_stat_get_numscans(c.oid), 0)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
 WHERE i.indrelid = $1
   AND m.amname IN ('hnsw', 'ivfflat')
   AND EXISTS (SELECT 1
                 FROM pg_catalog.pg_depend AS d
                 JOIN pg_catalog.pg_attribute AS a
                   ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND d.refobjid = $1 AND a.attname = $2)
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.oid)
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = c.oid)
 ORDER BY n.nspname, c.relname;
