-- How much the server has done, to compare before and while.
-- @column transactions int8
-- @server 14+
SELECT COALESCE(pg_catalog.sum(d.xact_commit + d.xact_rollback), 0)::bigint
  FROM pg_catalog.pg_stat_database AS d;
