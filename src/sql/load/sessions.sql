-- What the sessions of this database do now, without our own; parallel workers count as sessions at work.
-- @column sessions      int4   of clients
-- @column active        int4   -1: of some sessions the role may not see what they do
-- @column waiting       int4   for a lock; -1 as above
-- @column longest_us    float8 of those waits; 0: nobody waits
-- @server 14+
SELECT a.sessions AS pgmend_load_sessions,
       CASE WHEN a.hidden > 0 THEN -1 ELSE a.active END,
       CASE WHEN a.hidden > 0 THEN -1 ELSE a.waiting END,
       CASE WHEN a.waiting > 0
            THEN COALESCE((SELECT pg_catalog.max(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - l.waitstart))
                             FROM pg_catalog.pg_locks AS l
                            WHERE NOT l.granted AND l.pid = ANY (a.pids))::float8 * 1e6, 0)
            ELSE 0
            END
  FROM (SELECT (pg_catalog.count(*) FILTER (WHERE s.backend_type IS NOT DISTINCT FROM 'client backend'
                                               OR s.backend_type IS NULL))::int4 AS sessions,
               (pg_catalog.count(*) FILTER (WHERE s.state IN ('active', 'fastpath function call')))::int4 AS active,
               (pg_catalog.count(*) FILTER (WHERE s.wait_event_type = 'Lock'))::int4 AS waiting,
               pg_catalog.array_agg(s.pid) FILTER (WHERE s.wait_event_type = 'Lock') AS pids,
               pg_catalog.count(*) FILTER (WHERE s.backend_type IS NULL) AS hidden
          FROM pg_catalog.pg_stat_activity AS s
         WHERE s.datname = pg_catalog.current_database() AND s.pid <> pg_catalog.pg_backend_pid()) AS a;
