-- Roles with sessions in this database, and the time-outs that their new sessions get.
-- @column name text
-- @column is_superuser bool
-- @column sessions int8 of clients, without those of pgmend and psql
-- @column applications text? names of some of the applications
-- @column unclear int8 sessions without a name, of which the role may not see the kind
-- @column owns_tables bool
-- @column statement_timeout text? of the role, perhaps in this database; NULL: the server's
-- @column idle_timeout text? idle_in_transaction_session_timeout
-- @column lock_timeout text?
-- @server 14+
SELECT r.rolname, r.rolsuper, COALESCE(s.sessions, 0), s.applications, COALESCE(s.unclear, 0),
       EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c
                WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p') AND c.oid >= 16384),
       o.statement_timeout, o.idle_timeout, o.lock_timeout
  FROM pg_catalog.pg_roles AS r
  -- Everybody sees role, database and name of a session; its kind is for those who may see more.
  LEFT JOIN (SELECT a.usesysid,
                    pg_catalog.count(*) FILTER (
                        WHERE a.backend_type IS NOT NULL OR a.application_name <> ''),
                    pg_catalog.count(*) FILTER (
                        WHERE a.backend_type IS NULL AND COALESCE(a.application_name, '') = ''),
                    pg_catalog.string_agg(DISTINCT NULLIF(pg_catalog.left(a.application_name, 40), ''), ', ')
               FROM pg_catalog.pg_stat_activity AS a
              WHERE (a.backend_type = 'client backend' OR a.backend_type IS NULL)
                AND COALESCE(a.application_name, '') NOT LIKE 'pgmend%'
                AND COALESCE(a.application_name, '') <> 'psql'
                AND a.datname = pg_catalog.current_database()
                AND a.pid <> pg_catalog.pg_backend_pid()
              GROUP BY a.usesysid) AS s (usesysid, sessions, unclear, applications) ON s.usesysid = r.oid
  CROSS JOIN LATERAL (
       SELECT (pg_catalog.array_agg(x.option_value ORDER BY x.setdatabase DESC)
                 FILTER (WHERE x.option_name = 'statement_timeout'))[1],
              (pg_catalog.array_agg(x.option_value ORDER BY x.setdatabase DESC)
                 FILTER (WHERE x.option_name = 'idle_in_transaction_session_timeout'))[1],
              (pg_catalog.array_agg(x.option_value ORDER BY x.setdatabase DESC)
                 FILTER (WHERE x.option_name = 'lock_timeout'))[1]
         FROM (SELECT d.setdatabase, p.option_name, p.option_value
                 FROM pg_catalog.pg_db_role_setting AS d
                 CROSS JOIN LATERAL pg_catalog.pg_options_to_table(d.setconfig) AS p
                WHERE d.setrole = r.oid
                  AND d.setdatabase IN (0, (SELECT b.oid FROM pg_catalog.pg_database AS b
                                             WHERE b.datname = pg_catalog.current_database()))) AS x)
       AS o (statement_timeout, idle_timeout, lock_timeout)
 WHERE r.rolcanlogin AND r.rolname !~ '^pg_'
   AND (s.sessions > 0 OR s.unclear > 0 OR EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c
                                   WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p') AND c.oid >= 16384))
 ORDER BY 3 DESC, 1
 LIMIT 100;
