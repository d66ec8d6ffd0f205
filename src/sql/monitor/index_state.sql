-- Indexes that are not usable, and those that are being built.
-- @column schemaname text
-- @column relname text the table
-- @column indexrelname text
-- @column is_building bool
-- @column is_ready bool writes keep it up, and a unique one refuses rows
-- @column is_unique bool
-- @column is_ours bool a change of ours that is under way or left it
-- @column size_bytes int8 as of its last vacuum or analyze
-- @server 14+
-- The journal is read only where it is there, and only when an index is not usable.
WITH bad AS MATERIALIZED (
    SELECT i.indexrelid, i.indrelid, i.indisready, i.indisunique
      FROM pg_catalog.pg_index AS i
     WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
), journal AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT 1 FROM bad)
                 AND EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c
                               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                              WHERE n.nspname = 'pgmend' AND c.relname = 'journal'
                                AND c.relkind = 'r'
                                AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                                AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
                THEN pg_catalog.query_to_xml(
                         'SELECT pg_catalog.encode(pg_catalog.convert_to(j.object, ''UTF8''),'
                         ' ''hex'') AS o FROM pgmend.journal AS j'
                         ' WHERE j.state IN (''started'', ''leftover'', ''undoing'')',
                         false, false, '')::text END AS answer
)
SELECT n.nspname::text, t.relname::text, c.relname::text,
       EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p
                WHERE p.index_relid = c.oid),
       b.indisready, b.indisunique,
       COALESCE(j.answer LIKE '%' || pg_catalog.encode(pg_catalog.convert_to(
                    pg_catalog.quote_ident(c.relname), 'UTF8'), 'hex') || '</o>%', false),
       c.relpages::int8 * pg_catalog.current_setting('block_size')::int8
  FROM bad AS b
  JOIN pg_catalog.pg_class AS c ON c.oid = b.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = b.indrelid
 CROSS JOIN journal AS j
 WHERE c.relkind = 'i'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname
 LIMIT 1000;
