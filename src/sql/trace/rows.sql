-- What the session read and wrote of each table and has not reported to the statistics yet.
-- @column oid oid
-- @column schema text
-- @column name text
-- @column scans int8 of the whole table
-- @column read int8 rows, by scans and by way of indexes
-- @column inserted int8
-- @column updated int8
-- @column deleted int8
-- @server 14+
SELECT s.relid,
       s.schemaname::text,
       s.relname::text,
       COALESCE(s.seq_scan, 0),
       COALESCE(s.seq_tup_read, 0) + COALESCE(s.idx_tup_fetch, 0),
       s.n_tup_ins,
       s.n_tup_upd,
       s.n_tup_del
  FROM pg_catalog.pg_stat_xact_user_tables AS s
 WHERE COALESCE(s.seq_scan, 0) > 0 OR COALESCE(s.seq_tup_read, 0) > 0 OR COALESCE(s.idx_tup_fetch, 0) > 0
    OR s.n_tup_ins > 0 OR s.n_tup_upd > 0 OR s.n_tup_del > 0
 ORDER BY s.relid;
