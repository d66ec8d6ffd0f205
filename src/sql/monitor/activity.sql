-- Sessions counted by what they do. Kinds beyond the bound are counted together, without their
-- user, application and wait. Of this database each state has a row, if only to say that there is none.
-- @arg most_rows int4
-- @column datname text
-- @column state text
-- @column usename text
-- @column application_name text at most 60 characters
-- @column backend_type text
-- @column wait_event_type text
-- @column wait_event text
-- @column count int8
-- @column max_tx_duration float8 seconds since the oldest of their transactions began, or 0
-- @column max_query_seconds float8 of those that run a statement, or 0
-- @column max_idle_seconds float8 of those that are idle in a transaction, or 0
-- @server 14+
WITH session AS MATERIALIZED (
    SELECT COALESCE(d.datname::text, '') AS datname,
           COALESCE(a.state, '') AS state,
           COALESCE(pg_catalog.pg_get_userbyid(NULLIF(a.usesysid, 0))::text, '') AS usename,
           COALESCE(pg_catalog.left(a.application_name, 60), '') AS application_name,
           COALESCE(a.backend_type, '') AS backend_type,
           COALESCE(a.wait_event_type, '') AS wait_event_type,
           COALESCE(a.wait_event, '') AS wait_event,
           pg_catalog.count(*) AS count,
           COALESCE(pg_catalog.max(EXTRACT(epoch FROM t.now - a.xact_start)), 0)::float8 AS tx,
           COALESCE(pg_catalog.max(EXTRACT(epoch FROM t.now - a.query_start))
                        FILTER (WHERE a.state = 'active'), 0)::float8 AS query,
           COALESCE(pg_catalog.max(EXTRACT(epoch FROM t.now - a.state_change))
                        FILTER (WHERE a.state IN ('idle in transaction',
                                                  'idle in transaction (aborted)')), 0)::float8 AS idle
      FROM pg_catalog.pg_stat_get_activity(NULL) AS a
     CROSS JOIN (SELECT pg_catalog.clock_timestamp() AS now) AS t
      JOIN pg_catalog.pg_database AS d ON d.oid = a.datid
     WHERE a.pid <> pg_catalog.pg_backend_pid()
     GROUP BY 1, 2, 3, 4, 5, 6, 7
), ranked AS (
    SELECT s.*, pg_catalog.row_number() OVER (ORDER BY s.tx DESC, s.count DESC) <= $1::int4 AS is_shown
      FROM session AS s
)
SELECT r.datname, r.state,
       CASE WHEN r.is_shown THEN r.usename ELSE '' END,
       CASE WHEN r.is_shown THEN r.application_name ELSE '' END,
       r.backend_type,
       CASE WHEN r.is_shown THEN r.wait_event_type ELSE '' END,
       CASE WHEN r.is_shown THEN r.wait_event ELSE '' END,
       pg_catalog.sum(r.count)::int8, pg_catalog.max(r.tx), pg_catalog.max(r.query),
       pg_catalog.max(r.idle)
  FROM ranked AS r
 GROUP BY r.is_shown, 1, 2, 3, 4, 5, 6, 7
UNION ALL
SELECT pg_catalog.current_database()::text, t.state, '', '', '', '', '', 0, 0, 0, 0
  FROM (VALUES ('active'), ('idle'), ('idle in transaction'),
               ('idle in transaction (aborted)'), ('fastpath function call'),
               ('disabled')) AS t (state)
 WHERE NOT EXISTS (SELECT 1 FROM session AS s
                    WHERE s.datname = pg_catalog.current_database() AND s.state = t.state)
 ORDER BY 9 DESC, 8 DESC;
