-- Advisory locks that outlive a transaction: held by sessions of this database that are in none.
-- @column locks int8
-- @column sessions int8
-- @column example text an application's name and the statement it ran last
-- @server 14+
SELECT pg_catalog.count(*),
       pg_catalog.count(DISTINCT l.pid),
       COALESCE(pg_catalog.min(COALESCE(NULLIF(a.application_name, ''), 'a session') || ': ' || a.query), '')
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_stat_get_activity(NULL) AS a ON a.pid = l.pid
  JOIN pg_catalog.pg_database AS d ON d.oid = l.database
 WHERE l.locktype = 'advisory'
   AND l.granted
   AND d.datname = pg_catalog.current_database()
   AND a.state = 'idle'
   AND a.application_name NOT LIKE 'pgmend/%';
