-- Whether ticks of the checklist can be read, and what the catalogue says about its items.
-- @column has_table bool
-- @column may_read bool
-- @column today text "2026-11-23", UTC
-- @column vector_indexes int8 IVFFlat and HNSW, valid
-- @column statements_counted bool pg_stat_statements is loaded and its extension is here
-- @server 14+
SELECT t.oid IS NOT NULL,
       COALESCE(pg_catalog.has_schema_privilege(t.relnamespace, 'USAGE')
                AND pg_catalog.has_table_privilege(t.oid, 'SELECT'), false),
       pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
       (SELECT pg_catalog.count(*)
          FROM pg_catalog.pg_index AS i
          JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
          JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
         WHERE m.amname IN ('ivfflat', 'hnsw') AND i.indisvalid),
       EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_stat_statements')
       AND EXISTS (SELECT 1 FROM pg_catalog.pg_settings AS g
                    WHERE g.name = 'pg_stat_statements.track' AND g.setting <> 'none')
  FROM (SELECT 1) AS one
  LEFT JOIN (SELECT c.oid, c.relnamespace
               FROM pg_catalog.pg_class AS c
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              WHERE n.nspname = 'pgmend' AND c.relname = 'checklist' AND c.relkind = 'r') AS t ON true;
