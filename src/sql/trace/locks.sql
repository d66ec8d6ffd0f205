-- The strongest lock that a session holds on each relation of the user, and the relation's file as it is now.
-- @arg pid int4
-- @column oid oid
-- @column mode int4 1 (ACCESS SHARE) to 8 (ACCESS EXCLUSIVE)
-- @column file oid 0: it has none, or is dropped
-- @server 14+
SELECT l.relation,
       pg_catalog.max(m.rank)::int4,
       COALESCE(pg_catalog.pg_relation_filenode(l.relation), 0::oid)
  FROM pg_catalog.pg_locks AS l
  JOIN (VALUES ('AccessShareLock', 1), ('RowShareLock', 2), ('RowExclusiveLock', 3),
               ('ShareUpdateExclusiveLock', 4), ('ShareLock', 5), ('ShareRowExclusiveLock', 6),
               ('ExclusiveLock', 7), ('AccessExclusiveLock', 8)) AS m (mode, rank) ON m.mode = l.mode
 WHERE l.pid = $1
   AND l.locktype = 'relation'
   AND l.granted
   AND l.relation >= 16384
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                      WHERE d.datname = pg_catalog.current_database())
 GROUP BY l.relation
 ORDER BY l.relation;
