-- The functions that this transaction has made or replaced.
-- @column oid oid
-- @server 14+
SELECT p.oid
  FROM pg_catalog.pg_proc AS p
 WHERE p.xmin = pg_catalog.pg_current_xact_id()::xid;
