-- What each statement of a database did over the last seconds, by the monitor's store. Of a database that
-- the store's own server does not have: the statements of all.
-- @arg database text
-- @arg span_s float8
-- @column query_id int8
-- @column query text? NULL: not stored
-- @column is_cut bool the monitor keeps 4000 characters
-- @column calls float8
-- @column total_ms float8
-- @column row_count float8
-- @server 14+
SELECT h.queryid, h.query, COALESCE(pg_catalog.length(h.query) >= 4000, false),
       pg_catalog.sum(h.calls)::float8, COALESCE(pg_catalog.sum(h.total_ms), 0)::float8,
       COALESCE(pg_catalog.sum(h.rows), 0)::float8
  FROM pgmend.statement_history AS h
 WHERE h.ts >= pg_catalog.now() - pg_catalog.make_interval(secs => $2::float8)
   AND h.queryid IS NOT NULL
   AND h.dbid = COALESCE((SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = $1::text), h.dbid)
 GROUP BY h.queryid, h.query
HAVING pg_catalog.sum(h.calls) > 0;
