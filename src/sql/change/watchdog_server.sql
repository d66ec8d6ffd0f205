-- How the database is now: who waits for locks, how its transactions end, how much WAL there is.
-- @column waiters int8 sessions of others that have waited for a lock for longer than a second
-- @column longest_us int8 the longest of these waits
-- @column blocker_pid int4 whom most of them wait for; 0: nobody, or a prepared transaction
-- @column blocker text its application and user
-- @column blocker_state text
-- @column blocker_us int8 since its transaction began
-- @column commits int8 since the statistics were reset
-- @column rollbacks int8
-- @column wal_bytes float8 position; NaN on a standby
-- @server 14+
WITH waiting AS MATERIALIZED (
    SELECT l.pid, pg_catalog.min(l.waitstart) AS since
      FROM pg_catalog.pg_locks AS l
      JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
     WHERE NOT l.granted
       AND l.waitstart < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => 1)
       AND a.datname = pg_catalog.current_database()
       AND COALESCE(a.application_name, '') NOT LIKE 'pgmend/%'
     GROUP BY l.pid
), blocking AS MATERIALIZED (
    SELECT b.pid, pg_catalog.count(*) AS held
      FROM (SELECT w.pid FROM waiting AS w ORDER BY w.since, w.pid LIMIT 50) AS w
     CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) AS b (pid)
     GROUP BY b.pid
), worst AS (
    SELECT a.pid, a.application_name, a.usename, a.state, a.xact_start
      FROM blocking AS b
      JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
     ORDER BY b.pid IN (SELECT w.pid FROM waiting AS w), b.held DESC, b.pid
     LIMIT 1
)
SELECT (SELECT pg_catalog.count(*) FROM waiting),
       COALESCE((SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                                 - pg_catalog.min(w.since)) * 1000000)::int8
                   FROM waiting AS w), 0),
       COALESCE(b.pid, 0),
       COALESCE(NULLIF(b.application_name, ''), 'unnamed') || ', user ' || COALESCE(b.usename, '?'),
       COALESCE(b.state, '?'),
       COALESCE((EXTRACT(epoch FROM pg_catalog.clock_timestamp() - b.xact_start) * 1000000)::int8,
                0),
       d.xact_commit, d.xact_rollback,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'NaN'::float8
            ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::float8 END
  FROM pg_catalog.pg_stat_database AS d
  LEFT JOIN worst AS b ON true
 WHERE d.datname = pg_catalog.current_database();
