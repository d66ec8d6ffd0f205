-- What the server has counted for this database since it was last reset.
-- @column at int8 microseconds since 1970
-- @column since text? never reset: NULL
-- @column blocks_hit float8
-- @column blocks_read float8
-- @server 14+
SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::int8,
       pg_catalog.to_char(d.stats_reset, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       d.blks_hit::float8, d.blks_read::float8
  FROM pg_catalog.pg_stat_database AS d
 WHERE d.datname = pg_catalog.current_database()
