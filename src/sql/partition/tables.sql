-- Tables with a column of time, by how their rows are appended and how fast.
-- @arg name text? only this table, as to_regclass() reads it
-- @arg least_bytes int8
-- @column oid oid
-- @column schema text
-- @column name text
-- @column rows float8
-- @column bytes int8 with indexes and TOAST
-- @column key text the column whose order is most that of the rows
-- @column correlation float8 NaN: never analysed
-- @column inserted int8 since the counters were reset
-- @column deleted int8
-- @column counted_s float8 for how long
-- @column referred int8 foreign keys to it
-- @server 14+
SELECT c.oid, n.nspname::text, c.relname::text, c.reltuples::float8, pg_catalog.pg_total_relation_size(c.oid), k.attname,
       COALESCE(k.correlation::float8, 'NaN'), COALESCE(s.n_tup_ins, 0), COALESCE(s.n_tup_del, 0),
       EXTRACT(epoch FROM pg_catalog.now() - COALESCE(d.stats_reset, pg_catalog.pg_postmaster_start_time()))::float8,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint AS f
         WHERE f.confrelid = c.oid AND f.contype = 'f' AND f.conparentid = 0)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_stat_database AS d ON d.datname = pg_catalog.current_database()
  LEFT JOIN pg_catalog.pg_stat_user_tables AS s ON s.relid = c.oid
 CROSS JOIN LATERAL (
       SELECT a.attname::text, t.correlation
         FROM pg_catalog.pg_attribute AS a
         LEFT JOIN pg_catalog.pg_stats AS t
                ON t.schemaname = n.nspname AND t.tablename = c.relname AND t.attname = a.attname AND NOT t.inherited
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
          AND a.atttypid IN ('pg_catalog.timestamp'::pg_catalog.regtype, 'pg_catalog.timestamptz'::pg_catalog.regtype,
                             'pg_catalog.date'::pg_catalog.regtype)
        ORDER BY pg_catalog.abs(t.correlation) DESC NULLS LAST, a.attnum
        LIMIT 1) AS k
 WHERE c.relkind = 'r' AND NOT c.relispartition AND c.relpersistence = 'p'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend') AND n.nspname NOT LIKE 'pg\_t%'
   AND ($1::text IS NULL AND pg_catalog.pg_total_relation_size(c.oid) >= $2
        OR c.oid = pg_catalog.to_regclass($1::text))
 ORDER BY pg_catalog.pg_total_relation_size(c.oid) DESC, c.oid;
