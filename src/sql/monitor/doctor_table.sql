-- Tables against what autovacuum and the planner need: dead rows and changed rows beyond the
-- thresholds that are in force for the table, no statistics at all, autovacuum switched off; and the
-- largest ones, for a threshold of their own.
-- @column relation text quoted
-- @column schema text
-- @column name text
-- @column relation_oid oid
-- @column bytes int8
-- @column rows_now int8 by the statistics
-- @column dead int8
-- @column dead_limit int8 where autovacuum begins
-- @column changed int8 since the last analyze
-- @column changed_limit int8
-- @column was_analysed bool
-- @column is_unclear bool nobody knows when it was analysed, and the role may not see its statistics
-- @column is_off bool autovacuum is off for it
-- @column scale text? its own autovacuum_vacuum_scale_factor
-- @column scale_in_force float8
-- @column vacuumed_at text? the last time, by whomever
-- @column is_unseen bool the role may not see its statistics
-- @column written int8 rows inserted, updated, deleted since the reset
-- @server 14+
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), n.nspname, c.relname,
       c.oid, c.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8,
       GREATEST(c.reltuples, s.n_live_tup, 0)::pg_catalog.int8, s.n_dead_tup,
       (o.vacuum_base + o.vacuum_scale * GREATEST(c.reltuples, 0))::pg_catalog.int8,
       s.n_mod_since_analyze,
       (o.analyze_base + o.analyze_scale * GREATEST(c.reltuples, 0))::pg_catalog.int8,
       s.last_analyze IS NOT NULL OR s.last_autoanalyze IS NOT NULL
       OR x.has_statistics,
       s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND NOT x.has_statistics
       AND c.reltuples >= 0 AND NOT x.may_read,
       NOT o.is_on, o.own_scale, o.vacuum_scale,
       GREATEST(s.last_vacuum, s.last_autovacuum)::pg_catalog.text,
       NOT x.may_read,
       s.n_tup_ins + s.n_tup_upd + s.n_tup_del
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_stat_user_tables AS s ON s.relid = c.oid
  CROSS JOIN LATERAL (
       SELECT COALESCE(pg_catalog.max(p.option_value) FILTER (
                           WHERE p.option_name = 'autovacuum_enabled'), 'true') IN ('true', 'on', '1', 'yes'),
              pg_catalog.max(p.option_value) FILTER (
                  WHERE p.option_name = 'autovacuum_vacuum_scale_factor'),
              COALESCE(pg_catalog.max(p.option_value) FILTER (
                           WHERE p.option_name = 'autovacuum_vacuum_scale_factor'),
                       pg_catalog.current_setting('autovacuum_vacuum_scale_factor'))::pg_catalog.float8,
              COALESCE(pg_catalog.max(p.option_value) FILTER (
                           WHERE p.option_name = 'autovacuum_vacuum_threshold'),
                       pg_catalog.current_setting('autovacuum_vacuum_threshold'))::pg_catalog.float8,
              COALESCE(pg_catalog.max(p.option_value) FILTER (
                           WHERE p.option_name = 'autovacuum_analyze_scale_factor'),
                       pg_catalog.current_setting('autovacuum_analyze_scale_factor'))::pg_catalog.float8,
              COALESCE(pg_catalog.max(p.option_value) FILTER (
                           WHERE p.option_name = 'autovacuum_analyze_threshold'),
                       pg_catalog.current_setting('autovacuum_analyze_threshold'))::pg_catalog.float8
         FROM pg_catalog.pg_options_to_table(c.reloptions) AS p)
       AS o (is_on, own_scale, vacuum_scale, vacuum_base, analyze_scale, analyze_base)
  CROSS JOIN LATERAL (
       SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_stats AS t
                       WHERE t.schemaname = n.nspname AND t.tablename = c.relname),
              pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS x (has_statistics, may_read)
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
   AND (s.n_dead_tup > o.vacuum_base + o.vacuum_scale * GREATEST(c.reltuples, 0)
        OR s.n_mod_since_analyze > o.analyze_base + o.analyze_scale * GREATEST(c.reltuples, 0)
        OR NOT o.is_on OR c.reltuples >= 1000000 OR c.relpages >= 128 AND NOT x.may_read
        OR s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND s.n_live_tup > 0)
 ORDER BY c.relpages DESC, 1
 LIMIT 200;
