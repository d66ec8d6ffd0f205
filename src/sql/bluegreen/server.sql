-- What logical replication needs of a server, and what of it is in use.
-- @column wal_level text
-- @column max_slots int8
-- @column slots int8 in use
-- @column max_senders int8
-- @column senders int8 in use
-- @column max_workers int8 of logical replication
-- @column subscriptions int8 enabled ones, each of which has a worker
-- @column sync_workers int8 a subscription
-- @column processes int8 max_worker_processes
-- @column keep_bytes int8 max_slot_wal_keep_size; -1: no limit
-- @column is_superuser bool
-- @column may_replicate bool
-- @column may_subscribe bool pg_create_subscription, from 16 on
-- @column may_create_database bool
-- @column may_create_here bool objects in this database
-- @column bytes int8 of this database
-- @column prepared int8 prepared transactions in this database
-- @column is_standby bool
-- @server 14+
SELECT pg_catalog.current_setting('wal_level') AS wal_level,
       pg_catalog.current_setting('max_replication_slots')::int8 AS max_slots,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots) AS slots,
       pg_catalog.current_setting('max_wal_senders')::int8 AS max_senders,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a
         WHERE a.backend_type = 'walsender') AS senders,
       pg_catalog.current_setting('max_logical_replication_workers')::int8 AS max_workers,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_subscription AS s WHERE s.subenabled)
           AS subscriptions,
       pg_catalog.current_setting('max_sync_workers_per_subscription')::int8 AS sync_workers,
       pg_catalog.current_setting('max_worker_processes')::int8 AS processes,
       (SELECT CASE WHEN g.setting = '-1' THEN -1 ELSE g.setting::int8 * 1048576 END
          FROM pg_catalog.pg_settings AS g WHERE g.name = 'max_slot_wal_keep_size') AS keep_bytes,
       r.rolsuper AS is_superuser,
       r.rolsuper OR r.rolreplication AS may_replicate,
       r.rolsuper OR COALESCE((SELECT pg_catalog.pg_has_role(p.oid, 'USAGE')
                                 FROM pg_catalog.pg_roles AS p
                                WHERE p.rolname = 'pg_create_subscription'), false) AS may_subscribe,
       r.rolsuper OR r.rolcreatedb AS may_create_database,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
           AS may_create_here,
       CASE WHEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CONNECT')
            THEN pg_catalog.pg_database_size(pg_catalog.current_database()) ELSE 0 END AS bytes,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts AS x
         WHERE x.database = pg_catalog.current_database()) AS prepared,
       pg_catalog.pg_is_in_recovery() AS is_standby
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = CURRENT_USER;
