-- Counters of user tables, the biggest first. Nothing here takes a lock on a table: sizes are as of
-- its last vacuum or analyze.
-- @arg most_rows int4
-- @column datname text
-- @column schemaname text
-- @column relname text
-- @column relid oid
-- @column seq_scan int8
-- @column seq_tup_read int8
-- @column idx_scan int8
-- @column idx_tup_fetch int8
-- @column n_tup_ins int8
-- @column n_tup_upd int8
-- @column n_tup_del int8
-- @column n_tup_hot_upd int8
-- @column n_live_tup int8
-- @column n_dead_tup int8
-- @column n_mod_since_analyze int8
-- @column n_ins_since_vacuum int8
-- @column last_vacuum float8 seconds since 1970; 0: never, as the next three
-- @column last_autovacuum float8
-- @column last_analyze float8
-- @column last_autoanalyze float8
-- @column vacuum_count int8
-- @column autovacuum_count int8
-- @column analyze_count int8
-- @column autoanalyze_count int8
-- @column table_size_bytes int8 with TOAST, without indexes
-- @column index_size_bytes int8
-- @column rows_estimate float8 of the planner; -1: never analyzed
-- @column heap_blocks_read int8
-- @column heap_blocks_hit int8
-- @column idx_blocks_read int8
-- @column idx_blocks_hit int8
-- @column toast_blocks_read int8
-- @column toast_blocks_hit int8
-- @column options text? storage parameters of the table, as in pg_class
-- @server 14+
-- The bound is applied to pg_class alone; the counters, which cost a look-up each, are read after it.
WITH biggest AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relnamespace, c.relpages, c.reltuples, c.reltoastrelid, c.reloptions
      FROM pg_catalog.pg_class AS c
     WHERE c.relkind IN ('r', 'm')
       AND c.relpersistence <> 't'
       AND c.relnamespace <> ALL (ARRAY['pg_catalog'::regnamespace, 'pg_toast'::regnamespace,
                                        'information_schema'::regnamespace]::oid[])
     ORDER BY c.relpages DESC, c.oid
     LIMIT $1::int4
), indexes AS MATERIALIZED (
    SELECT i.indrelid,
           pg_catalog.sum(c.relpages)::int8 AS pages,
           pg_catalog.sum(pg_catalog.pg_stat_get_numscans(c.oid))::int8 AS scans,
           pg_catalog.sum(pg_catalog.pg_stat_get_tuples_fetched(c.oid))::int8 AS fetched,
           pg_catalog.sum(pg_catalog.pg_stat_get_blocks_fetched(c.oid))::int8 AS blocks,
           pg_catalog.sum(pg_catalog.pg_stat_get_blocks_hit(c.oid))::int8 AS hits
      FROM biggest AS b
      JOIN pg_catalog.pg_index AS i ON i.indrelid = b.oid
      JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
     GROUP BY i.indrelid
)
SELECT pg_catalog.current_database()::text, n.nspname::text, b.relname::text, b.oid,
       pg_catalog.pg_stat_get_numscans(b.oid),
       pg_catalog.pg_stat_get_tuples_returned(b.oid),
       COALESCE(x.scans, 0),
       COALESCE(x.fetched, 0) + pg_catalog.pg_stat_get_tuples_fetched(b.oid),
       pg_catalog.pg_stat_get_tuples_inserted(b.oid),
       pg_catalog.pg_stat_get_tuples_updated(b.oid),
       pg_catalog.pg_stat_get_tuples_deleted(b.oid),
       pg_catalog.pg_stat_get_tuples_hot_updated(b.oid),
       pg_catalog.pg_stat_get_live_tuples(b.oid),
       pg_catalog.pg_stat_get_dead_tuples(b.oid),
       pg_catalog.pg_stat_get_mod_since_analyze(b.oid),
       pg_catalog.pg_stat_get_ins_since_vacuum(b.oid),
       COALESCE(EXTRACT(epoch FROM pg_catalog.pg_stat_get_last_vacuum_time(b.oid)), 0)::float8,
       COALESCE(EXTRACT(epoch FROM pg_catalog.pg_stat_get_last_autovacuum_time(b.oid)), 0)::float8,
       COALESCE(EXTRACT(epoch FROM pg_catalog.pg_stat_get_last_analyze_time(b.oid)), 0)::float8,
       COALESCE(EXTRACT(epoch FROM pg_catalog.pg_stat_get_last_autoanalyze_time(b.oid)), 0)::float8,
       pg_catalog.pg_stat_get_vacuum_count(b.oid),
       pg_catalog.pg_stat_get_autovacuum_count(b.oid),
       pg_catalog.pg_stat_get_analyze_count(b.oid),
       pg_catalog.pg_stat_get_autoanalyze_count(b.oid),
       (b.relpages + COALESCE(o.relpages, 0))::int8 * z.size,
       COALESCE(x.pages, 0) * z.size,
       b.reltuples::float8,
       pg_catalog.pg_stat_get_blocks_fetched(b.oid) - pg_catalog.pg_stat_get_blocks_hit(b.oid),
       pg_catalog.pg_stat_get_blocks_hit(b.oid),
       COALESCE(x.blocks - x.hits, 0),
       COALESCE(x.hits, 0),
       COALESCE(pg_catalog.pg_stat_get_blocks_fetched(o.oid)
                - pg_catalog.pg_stat_get_blocks_hit(o.oid), 0),
       COALESCE(pg_catalog.pg_stat_get_blocks_hit(o.oid), 0),
       b.reloptions::text
  FROM biggest AS b
  JOIN pg_catalog.pg_namespace AS n ON n.oid = b.relnamespace
 CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::int8 AS size) AS z
  LEFT JOIN pg_catalog.pg_class AS o ON o.oid = b.reltoastrelid AND b.reltoastrelid <> 0
  LEFT JOIN indexes AS x ON x.indrelid = b.oid
 ORDER BY b.relpages DESC, b.oid;
