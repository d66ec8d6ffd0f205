-- Roles that can log in, and their limits, those with a limit first.
-- @column rolname text
-- @column connection_limit int4 -1: none
-- @column is_superuser bool
-- @column expires_epoch float8 seconds since 1970; NaN: never
-- @column connections int4 now
-- @server 14+
SELECT r.rolname::text, r.rolconnlimit, r.rolsuper,
       CASE WHEN pg_catalog.isfinite(r.rolvaliduntil)
            THEN EXTRACT(epoch FROM r.rolvaliduntil)::float8 ELSE 'NaN' END,
       COALESCE(a.count, 0)
  FROM pg_catalog.pg_roles AS r
  LEFT JOIN (SELECT s.usesysid, pg_catalog.count(*)::int4 AS count
               FROM pg_catalog.pg_stat_get_activity(NULL) AS s
              GROUP BY s.usesysid) AS a ON a.usesysid = r.oid
 WHERE r.rolcanlogin
 ORDER BY r.rolconnlimit < 0, 5 DESC, r.rolname
 LIMIT 500;
