-- What limits connections to this database, and what the server records of statements.
-- @column most_connections int8
-- @column reserved int8 of these, for superusers and for pg_use_reserved_connections
-- @column database_limit int8 -1: none
-- @column role_limit int8 of our role; -1: none
-- @column transactions int8 that ended in this database
-- @column at_seconds float8 the server's clock
-- @column tracks_utility bool whether pg_stat_statements records SET, LISTEN and their like
-- @column tracks_planning bool
-- @column idle_limit_seconds float8 idle_in_transaction_session_timeout; 0: none
-- @column may_see_all bool whether our role sees what others do
-- @server 14+
SELECT pg_catalog.current_setting('max_connections')::int8,
       pg_catalog.current_setting('superuser_reserved_connections')::int8
           + COALESCE(pg_catalog.current_setting('reserved_connections', true), '0')::int8,
       d.datconnlimit::int8,
       r.rolconnlimit::int8,
       COALESCE(s.xact_commit + s.xact_rollback, 0),
       EXTRACT(epoch FROM pg_catalog.clock_timestamp())::float8,
       COALESCE(pg_catalog.current_setting('pg_stat_statements.track_utility', true), 'off') = 'on',
       COALESCE(pg_catalog.current_setting('pg_stat_statements.track_planning', true), 'off') = 'on',
       (SELECT t.setting::float8 / 1000
          FROM pg_catalog.pg_settings AS t
         WHERE t.name = 'idle_in_transaction_session_timeout'),
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
  FROM pg_catalog.pg_database AS d
  JOIN pg_catalog.pg_roles AS r ON r.rolname = CURRENT_USER
  LEFT JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
 WHERE d.datname = pg_catalog.current_database();
