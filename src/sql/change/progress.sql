-- How far the index build of a session is, and who holds it up.
-- @arg pid int4
-- @column is_active bool the session is running a statement
-- @column phase text empty before the build has begun
-- @column blocks_done int8
-- @column blocks_total int8
-- @column tuples_done int8
-- @column tuples_total int8
-- @column lockers_done int8
-- @column lockers_total int8
-- @column wait_event text "Lock:relation", empty when it works
-- @column blocker_pid int4 0: nobody
-- @column blocker text? application and user
-- @column blocker_state text?
-- @column blocker_age int8 microseconds since the blocker's transaction began
-- @server 14+
SELECT COALESCE(a.state = 'active', false),
       COALESCE(p.phase, ''),
       COALESCE(p.blocks_done, 0), COALESCE(p.blocks_total, 0),
       COALESCE(p.tuples_done, 0), COALESCE(p.tuples_total, 0),
       COALESCE(p.lockers_done, 0), COALESCE(p.lockers_total, 0),
       COALESCE(a.wait_event_type || ':' || a.wait_event, ''),
       COALESCE(b.pid, 0),
       COALESCE(NULLIF(b.application_name, ''), 'unnamed') || ', user ' || COALESCE(b.usename, '?'),
       b.state,
       COALESCE((EXTRACT(epoch FROM pg_catalog.clock_timestamp() - b.xact_start) * 1000000)::int8,
                0)
  FROM (SELECT $1::int4 AS pid) AS i
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = i.pid
  LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p ON p.pid = i.pid
  LEFT JOIN pg_catalog.pg_stat_activity AS b
    ON b.pid = COALESCE(NULLIF(p.current_locker_pid, 0),
                        (pg_catalog.pg_blocking_pids(i.pid))[1]);
