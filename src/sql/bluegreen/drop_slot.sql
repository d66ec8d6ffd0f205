-- Drops a slot that nobody reads.
-- @arg name text
-- @column dropped int8
-- @server 14+
SELECT pg_catalog.count(d.*) AS dropped
  FROM pg_catalog.pg_replication_slots AS s
  CROSS JOIN LATERAL (SELECT pg_catalog.pg_drop_replication_slot(s.slot_name)) AS d
 WHERE s.slot_name = $1;
