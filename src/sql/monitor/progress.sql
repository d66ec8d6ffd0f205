-- What the progress views show, in one shape.
-- @column pid int4
-- @column datname text
-- @column command text CREATE INDEX CONCURRENTLY, VACUUM, ANALYZE, CLUSTER, COPY FROM, BASE BACKUP
-- @column phase text
-- @column relation text schema.table, quoted; an oid in other databases; empty without one
-- @column object text the index that is built, as before; empty
-- @column unit text of done and total: blocks, tuples, bytes or lockers
-- @column done float8
-- @column total float8 0: not known
-- @column lockers_done int8 sessions waited for
-- @column lockers_total int8
-- @column locker_pid int4 the one it waits for now; 0: none
-- @column xact_seconds float8 since the command's transaction began; NaN: not known
-- @server 14+
WITH command AS (
    SELECT p.pid, p.datid, p.command, p.phase, p.relid, p.index_relid AS object,
           CASE WHEN p.phase LIKE 'waiting for%' THEN 'lockers'
                WHEN p.tuples_total > 0 THEN 'tuples' ELSE 'blocks' END AS unit,
           CASE WHEN p.phase LIKE 'waiting for%' THEN p.lockers_done
                WHEN p.tuples_total > 0 THEN p.tuples_done ELSE p.blocks_done END AS done,
           CASE WHEN p.phase LIKE 'waiting for%' THEN p.lockers_total
                WHEN p.tuples_total > 0 THEN p.tuples_total ELSE p.blocks_total END AS total,
           p.lockers_done, p.lockers_total, p.current_locker_pid AS locker_pid
      FROM pg_catalog.pg_stat_progress_create_index AS p
    UNION ALL
    SELECT p.pid, p.datid, 'VACUUM', p.phase, p.relid, NULL, 'blocks',
           CASE WHEN p.phase = 'scanning heap' THEN p.heap_blks_scanned
                ELSE p.heap_blks_vacuumed END,
           p.heap_blks_total, 0, 0, 0
      FROM pg_catalog.pg_stat_progress_vacuum AS p
    UNION ALL
    SELECT p.pid, p.datid, 'ANALYZE', p.phase, p.relid, NULL, 'blocks',
           p.sample_blks_scanned, p.sample_blks_total, 0, 0, 0
      FROM pg_catalog.pg_stat_progress_analyze AS p
    UNION ALL
    SELECT p.pid, p.datid, p.command, p.phase, p.relid, NULLIF(p.cluster_index_relid, 0), 'blocks',
           p.heap_blks_scanned, p.heap_blks_total, 0, 0, 0
      FROM pg_catalog.pg_stat_progress_cluster AS p
    UNION ALL
    SELECT p.pid, p.datid, p.command, p.type, NULLIF(p.relid, 0), NULL, 'bytes',
           p.bytes_processed, p.bytes_total, 0, 0, 0
      FROM pg_catalog.pg_stat_progress_copy AS p
    UNION ALL
    SELECT p.pid, NULL, 'BASE BACKUP', p.phase, NULL, NULL, 'bytes',
           p.backup_streamed, COALESCE(p.backup_total, 0), 0, 0, 0
      FROM pg_catalog.pg_stat_progress_basebackup AS p
)
SELECT c.pid, COALESCE(d.datname::text, ''), c.command, COALESCE(c.phase, ''),
       COALESCE(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.relname),
                c.relid::text, ''),
       COALESCE((SELECT pg_catalog.quote_ident(m.nspname) || '.' || pg_catalog.quote_ident(o.relname)
                   FROM pg_catalog.pg_class AS o
                   JOIN pg_catalog.pg_namespace AS m ON m.oid = o.relnamespace
                  WHERE o.oid = c.object AND d.datname = pg_catalog.current_database()), ''),
       c.unit, COALESCE(c.done, 0)::float8, COALESCE(c.total, 0)::float8,
       COALESCE(c.lockers_done, 0), COALESCE(c.lockers_total, 0),
       COALESCE(c.locker_pid, 0)::int4,
       COALESCE((SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8
                   FROM pg_catalog.pg_stat_get_activity(c.pid) AS a), 'NaN')
  FROM command AS c
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = c.datid
  LEFT JOIN pg_catalog.pg_class AS t
    ON t.oid = c.relid AND d.datname = pg_catalog.current_database()
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
 ORDER BY c.pid
 LIMIT 100;
