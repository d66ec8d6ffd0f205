-- An index as REINDEX INDEX CONCURRENTLY needs to know it, before and after.
-- @arg schema text
-- @arg name text
-- @column oid oid
-- @column filenode oid
-- @column kind text relkind
-- @column table_oid oid
-- @column table_name text
-- @column owner text
-- @column may_rebuild bool
-- @column is_unique bool
-- @column is_exclusion bool
-- @column is_good bool valid, ready and live
-- @column is_temporary bool
-- @column builder_pid int4 that builds it now; 0: nobody that the role may see
-- @column definition text what follows the table in CREATE INDEX
-- @column bytes int8
-- @column table_bytes int8
-- @column rows float8 of the table; -1: never analysed
-- @server 14+
-- The privilege MAINTAIN came with 17; older servers do not look at its name because of the CASE.
SELECT c.oid, c.relfilenode, c.relkind::pg_catalog.text, t.oid, t.relname, pg_catalog.pg_get_userbyid(t.relowner),
       pg_catalog.pg_has_role(SESSION_USER, t.relowner, 'USAGE')
       OR CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 170000
               THEN pg_catalog.has_table_privilege(t.oid, 'MAINTAIN') ELSE false END,
       i.indisunique, i.indisexclusion, i.indisvalid AND i.indisready AND i.indislive,
       c.relpersistence = 't',
       COALESCE((SELECT pg_catalog.min(p.pid) FROM pg_catalog.pg_stat_progress_create_index AS p
                  WHERE p.index_relid = c.oid), 0),
       pg_catalog.substr(pg_catalog.pg_get_indexdef(c.oid), pg_catalog.length(
           'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
           || pg_catalog.quote_ident(c.relname) || ' ON '
           || CASE WHEN c.relkind = 'I' THEN 'ONLY ' ELSE '' END
           || pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname)
           || ' ') + 1),
       COALESCE(pg_catalog.pg_relation_size(c.oid), 0),
       t.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8,
       t.reltuples::pg_catalog.float8
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
 WHERE n.nspname = $1
   AND c.relname = $2;
