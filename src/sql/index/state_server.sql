-- Since when this server counts the use of indexes, and whose server it is.
-- @column since float8 seconds since 1970: counters hold all that was since then; NaN: not known
-- @column started float8 seconds since 1970
-- @column now float8 seconds since 1970
-- @column is_standby bool
-- @column is_counting bool track_counts
-- @column standbys int4 that are connected to it; logical subscribers are none
-- @server 14+
-- A clean shutdown keeps the counters. After a crash all of them are gone: then the counters of the whole
-- server begin anew together, while somebody who resets one of those leaves the others as they are. The
-- database's own beginning is not known (NULL) when nobody ever reset it.
SELECT COALESCE(EXTRACT(epoch FROM GREATEST(
                    (SELECT d.stats_reset FROM pg_catalog.pg_stat_database AS d
                      WHERE d.datname = pg_catalog.current_database()),
                    LEAST((SELECT b.stats_reset FROM pg_catalog.pg_stat_bgwriter AS b),
                          (SELECT a.stats_reset FROM pg_catalog.pg_stat_archiver AS a),
                          (SELECT w.stats_reset FROM pg_catalog.pg_stat_wal AS w))))::pg_catalog.float8, 'NaN'),
       EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::pg_catalog.float8,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp())::pg_catalog.float8,
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('track_counts') = 'on',
       (SELECT pg_catalog.count(*)::pg_catalog.int4 FROM pg_catalog.pg_stat_replication AS r
         WHERE r.application_name IS DISTINCT FROM 'pg_basebackup'
           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots AS s
                            WHERE s.active_pid = r.pid AND s.slot_type = 'logical'));
