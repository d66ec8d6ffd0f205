-- How much of the last seconds the store covers, and of how many servers.
-- @arg database text
-- @arg span_s float8
-- @column covered_s float8 with readings, of the server that has most
-- @column servers int8
-- @column is_known bool the store's own server has the database
-- @server 14+
SELECT COALESCE(pg_catalog.max(x.covered), 0)::float8, pg_catalog.count(*),
       EXISTS (SELECT FROM pg_catalog.pg_database AS d WHERE d.datname = $1::text)
  FROM (SELECT pg_catalog.sum(r.seconds) AS covered
          FROM (SELECT DISTINCT h.server, h.ts, EXTRACT(epoch FROM h.span) AS seconds
                  FROM pgmend.statement_history AS h
                 WHERE h.ts >= pg_catalog.now() - pg_catalog.make_interval(secs => $2::float8)) AS r
         GROUP BY r.server) AS x;
