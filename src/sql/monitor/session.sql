-- The sessions worth a look, those that block or wait first, then by the age of their transaction;
-- our own is left out. Of other roles' sessions a role without rights sees little more than the pid.
-- @arg most_rows int4
-- @column pid int4
-- @column datname text?
-- @column usename text?
-- @column application_name text?
-- @column client_addr text?
-- @column backend_type text?
-- @column state text?
-- @column wait_event_type text?
-- @column wait_event text?
-- @column connected_seconds float8 NaN: not known, as below
-- @column xact_seconds float8 NaN: in no transaction
-- @column query_seconds float8 of the statement that runs; NaN: none does
-- @column state_seconds float8 since the state changed
-- @column xmin_age int8 transactions that vacuum must keep for it; 0: none
-- @column blocked_by text? pids with commas
-- @column blocks int4 sessions that wait for it, directly
-- @column query_id int8 0: not known
-- @column leader_pid int4 of a parallel worker; 0: none
-- @column query text? at most 1000 characters; the last one when none runs
-- @server 14+
WITH session AS MATERIALIZED (
    SELECT a.*,
           CASE WHEN a.wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(a.pid) END AS blockers
      FROM pg_catalog.pg_stat_get_activity(NULL) AS a
     WHERE a.pid <> pg_catalog.pg_backend_pid()
), blocker AS MATERIALIZED (
    SELECT b.pid, pg_catalog.count(DISTINCT s.pid)::int4 AS waiters
      FROM session AS s
     CROSS JOIN LATERAL pg_catalog.unnest(s.blockers) AS b (pid)
     WHERE s.blockers IS NOT NULL
     GROUP BY b.pid
)
SELECT s.pid, d.datname::text, pg_catalog.pg_get_userbyid(NULLIF(s.usesysid, 0))::text,
       s.application_name, pg_catalog.host(s.client_addr), s.backend_type, s.state,
       s.wait_event_type, s.wait_event,
       COALESCE(EXTRACT(epoch FROM t.now - s.backend_start)::float8, 'NaN'),
       COALESCE(EXTRACT(epoch FROM t.now - s.xact_start)::float8, 'NaN'),
       CASE WHEN s.state IN ('active', 'fastpath function call')
            THEN COALESCE(EXTRACT(epoch FROM t.now - s.query_start)::float8, 'NaN')
            ELSE 'NaN' END,
       COALESCE(EXTRACT(epoch FROM t.now - s.state_change)::float8, 'NaN'),
       COALESCE(pg_catalog.age(s.backend_xmin), 0)::int8,
       pg_catalog.array_to_string(s.blockers, ','),
       COALESCE(b.waiters, 0),
       COALESCE(s.query_id, 0),
       COALESCE(s.leader_pid, 0),
       pg_catalog.left(s.query, 1000)
  FROM session AS s
 CROSS JOIN (SELECT pg_catalog.clock_timestamp() AS now) AS t
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.datid
  LEFT JOIN blocker AS b ON b.pid = s.pid
 WHERE s.datid IS NOT NULL OR s.backend_type = 'walsender'
 ORDER BY b.waiters IS NULL AND s.blockers IS NULL, s.xact_start, s.state <> 'active',
          s.state_change DESC, s.pid
 LIMIT $1::int4;
