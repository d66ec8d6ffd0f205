-- Whether the tables of snapshots have been made in this database.
-- @column exist bool
-- @server 14+
SELECT pg_catalog.to_regclass('pgmend.snapshot_plan') IS NOT NULL AS exist
