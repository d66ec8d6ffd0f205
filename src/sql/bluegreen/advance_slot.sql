-- Has a slot pass over everything that was committed so far.
-- @arg name text
-- @column is_there bool
-- @server 14+
SELECT pg_catalog.pg_wal_lsn_diff(a.end_lsn, w.lsn) >= 0 AS is_there
  FROM (SELECT pg_catalog.pg_current_wal_flush_lsn() AS lsn) AS w
  CROSS JOIN LATERAL pg_catalog.pg_replication_slot_advance($1::name, w.lsn) AS a;
