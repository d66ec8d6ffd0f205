-- Rows written of each table since the counters began, for the risk of a plan's steps.
-- @arg tables text OIDs as an array literal
-- @column table_oid oid
-- @column writes float8 inserted, updated and deleted
-- @column seconds float8 since the reset, or since the server started
-- @server 14+
SELECT c.oid,
       (pg_catalog.pg_stat_get_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_tuples_updated(c.oid)
        + pg_catalog.pg_stat_get_tuples_deleted(c.oid))::float8,
       extract(epoch FROM pg_catalog.clock_timestamp()
               - coalesce(d.stats_reset, pg_catalog.pg_postmaster_start_time()))::float8
  FROM pg_catalog.pg_class AS c
       LEFT JOIN pg_catalog.pg_stat_database AS d ON d.datname = pg_catalog.current_database()
 WHERE c.oid = ANY ($1::oid[]);
