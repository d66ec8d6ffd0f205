-- What holds a name in a schema: an index with its definition, or something else.
-- @arg schema text
-- @arg name text
-- @column oid oid
-- @column kind text relkind
-- @column table_oid oid 0 when it is not an index
-- @column table_name text
-- @column is_unique bool
-- @column is_valid bool
-- @column is_ready bool
-- @column is_live bool
-- @column definition text what follows the table in CREATE INDEX: "USING btree (a)"
-- @column bytes int8
-- @column is_building bool
-- @column constraint_name text? of the constraint that it serves
-- @column serves text? what else of the database rests on it: replica identity, a parent index
-- @server 14+
SELECT c.oid, c.relkind::text, COALESCE(i.indrelid, 0)::oid, COALESCE(t.relname, ''),
       COALESCE(i.indisunique, false), COALESCE(i.indisvalid, false),
       COALESCE(i.indisready, false), COALESCE(i.indislive, false),
       COALESCE(pg_catalog.substr(d.def, pg_catalog.length(
           'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
           || pg_catalog.quote_ident(c.relname) || ' ON '
           || CASE WHEN c.relkind = 'I' THEN 'ONLY ' ELSE '' END
           || pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname)
           || ' ') + 1), ''),
       COALESCE(pg_catalog.pg_relation_size(c.oid), 0),
       EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p
                WHERE p.index_relid = c.oid),
       (SELECT k.conname FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.oid LIMIT 1),
       CASE WHEN i.indisreplident THEN 'the replica identity of its table'
            ELSE (SELECT 'the index ' || p.relname || ' of the parent table'
                    FROM pg_catalog.pg_inherits AS h
                    JOIN pg_catalog.pg_class AS p ON p.oid = h.inhparent
                   WHERE h.inhrelid = c.oid AND i.indexrelid IS NOT NULL LIMIT 1) END
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
  LEFT JOIN LATERAL (SELECT pg_catalog.pg_get_indexdef(i.indexrelid) AS def
                      WHERE i.indexrelid IS NOT NULL) AS d ON true
 WHERE n.nspname = $1
   AND c.relname = $2;
