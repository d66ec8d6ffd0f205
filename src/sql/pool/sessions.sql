-- What the connections to this database do at this moment, and how many others there are.
--
-- Those of pgmend are counted with the others: they are not the application's. So are those by which
-- replyx-api follows its flags: they listen, and never go through a pool.
--
-- @column active int8 run a statement
-- @column waiting int8 of these, wait for a lock that somebody holds
-- @column in_transaction int8 idle within a transaction
-- @column idle int8 open and unused
-- @column others int8 connections of other databases, those of pgmend, and direct ones
-- @column direct int8 of these, follow the flags
-- @column hidden int8 of this database, but our role may not see what they do
-- @column oldest_seconds float8 that one has been idle within a transaction; 0: none is
-- @server 14+
SELECT pg_catalog.count(*) FILTER (WHERE s.is_ours AND s.state IN ('active', 'fastpath function call')),
       pg_catalog.count(*) FILTER (WHERE s.is_ours AND s.state = 'active' AND s.wait_event_type = 'Lock'),
       pg_catalog.count(*) FILTER (WHERE s.is_ours AND s.state LIKE 'idle in transaction%'),
       pg_catalog.count(*) FILTER (WHERE s.is_ours AND s.state = 'idle'),
       pg_catalog.count(*) FILTER (WHERE NOT s.is_ours),
       pg_catalog.count(*) FILTER (WHERE s.is_direct),
       pg_catalog.count(*) FILTER (WHERE s.is_ours AND s.state IS NULL),
       COALESCE(pg_catalog.max(s.idle_seconds) FILTER (WHERE s.is_ours AND s.state LIKE 'idle in transaction%'), 0)
  FROM (SELECT a.state, a.wait_event_type,
               EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.state_change)::float8 AS idle_seconds,
               d.datname = pg_catalog.current_database()
                   AND COALESCE(a.application_name, '') NOT LIKE 'pgmend/%'
                   AND COALESCE(a.application_name, '') <> 'replyx-api/flags' AS is_ours,
               d.datname = pg_catalog.current_database()
                   AND a.application_name = 'replyx-api/flags' AS is_direct
          FROM pg_catalog.pg_stat_get_activity(NULL) AS a
          JOIN pg_catalog.pg_database AS d ON d.oid = a.datid
         WHERE COALESCE(a.backend_type, 'client backend') = 'client backend') AS s;
