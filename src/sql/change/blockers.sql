-- Sessions and prepared transactions that would hold up an index build.
-- @arg tables text OIDs of the tables to be changed, as an array literal
-- @column pid int4 0: a prepared transaction
-- @column application text
-- @column account text
-- @column state text
-- @column age int8 microseconds since its transaction began
-- @column holds_snapshot bool
-- @column writes_table bool it has changed, or locked for that, one of the tables
-- @column is_dump bool it is a pg_dump
-- @column is_hidden bool the role may not see what it does
-- @server 14+
SELECT a.pid,
       COALESCE(NULLIF(a.application_name, ''), 'unnamed'),
       COALESCE(a.usename, '?'),
       COALESCE(a.state, '?'),
       COALESCE((EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                         - COALESCE(a.xact_start, a.backend_start)) * 1000000)::int8, 0),
       a.backend_xmin IS NOT NULL,
       EXISTS (SELECT 1 FROM pg_catalog.pg_locks AS l
                WHERE l.pid = a.pid AND l.locktype = 'relation'
                  AND l.relation = ANY ($1::oid[]) AND l.granted
                  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')),
       a.application_name = 'pg_dump' OR a.application_name LIKE 'pgmend/backup%',
       a.query = '<insufficient privilege>'
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = pg_catalog.current_database()
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND (a.backend_type IN ('client backend', 'parallel worker')
        OR a.query = '<insufficient privilege>')
   AND (a.application_name NOT LIKE 'pgmend/%' OR a.application_name LIKE 'pgmend/backup%')
   AND (a.backend_xmin IS NOT NULL OR a.query = '<insufficient privilege>'
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_locks AS l
                    WHERE l.pid = a.pid AND l.locktype = 'relation'
                      AND l.relation = ANY ($1::oid[]) AND l.granted
                      AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')))
UNION ALL
SELECT 0, 'prepared transaction ' || x.gid, x.owner::text, 'prepared',
       (EXTRACT(epoch FROM pg_catalog.clock_timestamp() - x.prepared) * 1000000)::int8,
       false, true, false, false
  FROM pg_catalog.pg_prepared_xacts AS x
 WHERE x.database = pg_catalog.current_database()
 ORDER BY 5 DESC, 1;
