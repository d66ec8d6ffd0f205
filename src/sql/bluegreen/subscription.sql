-- A subscription of this database: its worker, and its tables by their state.
-- @arg name text
-- @column is_enabled bool
-- @column worker int4 its process; 0: none
-- @column tables int8
-- @column ready int8
-- @column copying int8
-- @column waiting int8
-- @column errors int8 since the counters' reset; -1: not known before 15
-- @column seconds float8 since the last message of the other side; below 0: none yet
-- @server 14+
SELECT s.subenabled AS is_enabled,
       COALESCE((SELECT pg_catalog.max(t.pid) FROM pg_catalog.pg_stat_subscription AS t
                  WHERE t.subid = s.oid AND t.relid IS NULL), 0)::int4 AS worker,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_subscription_rel AS r WHERE r.srsubid = s.oid) AS tables,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_subscription_rel AS r
         WHERE r.srsubid = s.oid AND r.srsubstate IN ('r', 's')) AS ready,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_subscription_rel AS r
         WHERE r.srsubid = s.oid AND r.srsubstate IN ('d', 'f')) AS copying,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_subscription_rel AS r
         WHERE r.srsubid = s.oid AND r.srsubstate = 'i') AS waiting,
       COALESCE((SELECT e.apply_error_count + e.sync_error_count
                   FROM pg_catalog.pg_stat_subscription_stats AS e WHERE e.subid = s.oid), 0) AS errors,
       COALESCE((SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                                               - pg_catalog.max(t.last_msg_receipt_time))
                   FROM pg_catalog.pg_stat_subscription AS t
                  WHERE t.subid = s.oid AND t.relid IS NULL), -1)::float8 AS seconds
  FROM pg_catalog.pg_subscription AS s
 WHERE s.subname = $1
   AND s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d
                     WHERE d.datname = pg_catalog.current_database());
