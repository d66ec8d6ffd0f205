-- The names of the columns before version 1.11 of the extension.
SELECT s.userid, s.dbid, s.queryid, s.toplevel,
       pg_catalog.pg_get_userbyid(s.userid)::pg_catalog.text,
       d.datname::pg_catalog.text,
       s.calls,
       s.total_exec_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.mean_exec_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.max_exec_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.rows, s.shared_blks_hit, s.shared_blks_read, s.shared_blks_dirtied,
       s.shared_blks_written, s.temp_blks_read, s.temp_blks_written,
       s.blk_read_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.blk_write_time OPERATOR(pg_catalog./) 1000::pg_catalog.float8,
       s.wal_bytes::pg_catalog.float8,
       'NaN'::pg_catalog.float8
  FROM (SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)) AS path
 CROSS JOIN pg_stat_statements(false) AS s
  JOIN pg_catalog.pg_database AS d ON d.oid OPERATOR(pg_catalog.=) s.dbid
 WHERE s.queryid IS NOT NULL
   AND s.calls OPERATOR(pg_catalog.>) 0::pg_catalog.int8
 ORDER BY s.total_exec_time DESC
 LIMIT $1::pg_catalog.int4;
