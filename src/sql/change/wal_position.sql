-- How many bytes of WAL the server has written so far.
-- @column bytes int8
-- @server 14+
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8;
