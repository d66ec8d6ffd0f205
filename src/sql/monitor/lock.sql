-- Locks counted by database and mode, and those that are waited for; of this database each mode.
-- @column datname text
-- @column mode text lower case
-- @column count int8
-- @column waiting int8 of them not granted
-- @server 14+
WITH held AS MATERIALIZED (
    SELECT l.database, pg_catalog.lower(l.mode) AS mode, pg_catalog.count(*) AS count,
           pg_catalog.count(*) FILTER (WHERE NOT l.granted) AS waiting
      FROM pg_catalog.pg_lock_status() AS l
     WHERE l.database IS NOT NULL
       AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
     GROUP BY 1, 2
)
SELECT d.datname::text, h.mode, h.count, h.waiting
  FROM held AS h
  JOIN pg_catalog.pg_database AS d ON d.oid = h.database
UNION ALL
SELECT d.datname::text, m.mode, 0, 0
  FROM pg_catalog.pg_database AS d
 CROSS JOIN (VALUES ('accesssharelock'), ('rowsharelock'), ('rowexclusivelock'),
                    ('shareupdateexclusivelock'), ('sharelock'), ('sharerowexclusivelock'),
                    ('exclusivelock'), ('accessexclusivelock'), ('sireadlock')) AS m (mode)
 WHERE d.datname = pg_catalog.current_database()
   AND NOT EXISTS (SELECT 1 FROM held AS h WHERE h.database = d.oid AND h.mode = m.mode)
 ORDER BY 1, 2;
