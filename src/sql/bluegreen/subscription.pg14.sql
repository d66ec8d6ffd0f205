-- pg_stat_subscription_stats came with 15.
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
       (-1)::int8 AS errors,
       COALESCE((SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                                               - pg_catalog.max(t.last_msg_receipt_time))
                   FROM pg_catalog.pg_stat_subscription AS t
                  WHERE t.subid = s.oid AND t.relid IS NULL), -1)::float8 AS seconds
  FROM pg_catalog.pg_subscription AS s
 WHERE s.subname = $1
   AND s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d
                     WHERE d.datname = pg_catalog.current_database());
