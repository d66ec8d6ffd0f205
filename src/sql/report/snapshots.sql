-- The snapshots of this database, the newest first.
-- @column id int8
-- @column name text
-- @column taken_at text
-- @column server_start text
-- @column server_version text
-- @column stats_reset text?
-- @column evicted int8
-- @column most_entries int8
-- @column hidden int8
-- @column database_reset text?
-- @column settings text
-- @column statement_count int8
-- @column plan_count int8
-- @server 14+
SELECT s.id, s.name, s.taken_at, s.server_start, s.server_version, s.stats_reset, s.evicted,
       s.most_entries, s.hidden, s.database_reset, s.settings,
       (SELECT pg_catalog.count(*) FROM pgmend.snapshot_statement t WHERE t.snapshot = s.id)
           AS statement_count,
       (SELECT pg_catalog.count(*) FROM pgmend.snapshot_plan p WHERE p.snapshot = s.id)
           AS plan_count
  FROM pgmend.snapshot s
 ORDER BY s.taken_at DESC, s.id DESC
