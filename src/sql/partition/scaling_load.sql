-- What a server carries: counters of this database and of the server's WAL, connections, what replication needs.
-- @column now_s float8
-- @column transactions int8
-- @column wal_bytes float8 of the whole server; NaN: not known
-- @column rows_read int8
-- @column rows_written int8
-- @column connections int4
-- @column max_connections int4
-- @column active int4
-- @column bytes int8 of the database
-- @column wal_level text
-- @column is_standby bool
-- @column has_citus bool
-- @server 14+
SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp())::float8, d.xact_commit + d.xact_rollback,
       COALESCE((SELECT w.wal_bytes::float8 FROM pg_catalog.pg_stat_wal AS w), 'NaN'),
       d.tup_fetched, d.tup_inserted + d.tup_updated + d.tup_deleted,
       (SELECT pg_catalog.count(*)::int4 FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_type = 'client backend'),
       pg_catalog.current_setting('max_connections')::int4,
       (SELECT pg_catalog.count(*)::int4 FROM pg_catalog.pg_stat_activity AS a
         WHERE a.backend_type = 'client backend' AND a.state = 'active' AND a.pid <> pg_catalog.pg_backend_pid()),
       pg_catalog.pg_database_size(d.datid), pg_catalog.current_setting('wal_level'), pg_catalog.pg_is_in_recovery(),
       EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE e.extname = 'citus')
  FROM pg_catalog.pg_stat_database AS d
 WHERE d.datname = pg_catalog.current_database();
