-- How far the WAL has been written, after a commit: who reads this user's rows must have replayed it.
-- @column position int8
-- @server 14+
SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS position;
