-- Tables that indexes may be built on, with size and use, by schema and name. The size of a table that
-- somebody holds exclusively is the one of the last vacuum or analyze: asking for the present one would wait.
-- @arg schemas text[] empty: all but the system's and pgmend
-- @column oid oid
-- @column schema text
-- @column name text
-- @column qualified text
-- @column kind text relkind
-- @column is_partition bool
-- @column is_unlogged bool
-- @column may_read bool
-- @column is_unseen bool our role cannot see its statistics
-- @column has_children bool
-- @column parent_oid oid of a partition or child; 0: none
-- @column tuples float8 reltuples; -1: never counted
-- @column counted_pages float8 relpages
-- @column visible_pages float8
-- @column is_held bool somebody has it exclusively, or waits for that: what asks for a lock would wait
-- @column bytes int8 now
-- @column fillfactor int4
-- @column inserts float8
-- @column updates float8
-- @column hot_updates float8
-- @column deletes float8
-- @column sequential_scans float8
-- @column analyzed_at text?
-- @server 14+
WITH held AS MATERIALIZED (
    SELECT DISTINCT l.relation
      FROM pg_catalog.pg_locks AS l
     WHERE l.relation IS NOT NULL AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid()
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                          WHERE d.datname = pg_catalog.current_database())
)
SELECT c.oid, n.nspname, c.relname,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
       c.relkind::text, c.relispartition, c.relpersistence = 'u',
       COALESCE(pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                AND pg_catalog.has_table_privilege(c.oid, 'SELECT'), false),
       NOT COALESCE(pg_catalog.has_any_column_privilege(c.oid, 'SELECT'), false)
       OR c.relrowsecurity AND COALESCE(pg_catalog.row_security_active(c.oid), false),
       c.relhassubclass,
       COALESCE((SELECT h.inhparent FROM pg_catalog.pg_inherits AS h
                  WHERE h.inhrelid = c.oid ORDER BY h.inhseqno LIMIT 1), 0),
       c.reltuples::float8, GREATEST(c.relpages, 0)::float8, GREATEST(c.relallvisible, 0)::float8,
       x.relation IS NOT NULL,
       COALESCE(CASE WHEN c.relkind IN ('r', 'm') AND x.relation IS NULL
                     THEN pg_catalog.pg_relation_size(c.oid)
                     ELSE GREATEST(c.relpages, 0) * pg_catalog.current_setting('block_size')::int8 END, 0),
       COALESCE(pg_catalog.substring(c.reloptions::text, 'fillfactor=([0-9]+)')::int4, 100),
       COALESCE(pg_catalog.pg_stat_get_tuples_inserted(c.oid), 0)::float8,
       COALESCE(pg_catalog.pg_stat_get_tuples_updated(c.oid), 0)::float8,
       COALESCE(pg_catalog.pg_stat_get_tuples_hot_updated(c.oid), 0)::float8,
       COALESCE(pg_catalog.pg_stat_get_tuples_deleted(c.oid), 0)::float8,
       COALESCE(pg_catalog.pg_stat_get_numscans(c.oid), 0)::float8,
       GREATEST(pg_catalog.pg_stat_get_last_analyze_time(c.oid),
                pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid))::text
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN held AS x ON x.relation = c.oid
 WHERE c.relkind IN ('r', 'm', 'p', 'f') AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend') AND n.nspname !~ '^pg_(toast|temp_)'
   AND ($1::text[] = '{}' OR n.nspname = ANY ($1::text[]))
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C";
