-- Rows and pages of every relation, as the planner knows them, and how long its file is now.
-- @column schema     text
-- @column name       text
-- @column kind       text    relkind: r m p i I
-- @column rows       float8  reltuples; -1: never analysed
-- @column pages      int4
-- @column visible    int4    pages whose rows all see
-- @column blocks     int8    of the file
-- @column may_read   bool    our role may see the statistics of its columns
-- @server 14+
WITH held AS MATERIALIZED (
    /* To ask for the size of one would wait for its holder. */
    SELECT l.relation
      FROM pg_catalog.pg_locks l
     WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid()
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                          WHERE d.datname = pg_catalog.current_database())
)
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       c.relkind::text AS kind,
       c.reltuples::pg_catalog.float8 AS rows,
       c.relpages AS pages,
       c.relallvisible AS visible,
       CASE WHEN c.oid IN (SELECT h.relation FROM held h) THEN c.relpages
            WHEN c.relkind IN ('r', 'm', 'i') THEN
                coalesce(pg_catalog.pg_relation_size(c.oid), 0)
                    / pg_catalog.current_setting('block_size')::pg_catalog.int8
            ELSE 0 END AS blocks,
       c.relkind IN ('i', 'I')
           OR (pg_catalog.has_table_privilege(c.oid, 'SELECT')
               AND NOT pg_catalog.row_security_active(c.oid)) AS may_read
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'p', 'i', 'I') AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend') AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname
