-- How often each index was used on this server since its statistics began.
-- @column oid oid
-- @column scans int8
-- @column last_scan text? when it was used last; before 16 the server does not keep it
-- @server 14+
SELECT s.indexrelid, COALESCE(s.idx_scan, 0), CASE WHEN s.last_idx_scan IS NOT NULL
            THEN pg_catalog.to_char(s.last_idx_scan AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END
  FROM pg_catalog.pg_stat_all_indexes AS s
 WHERE s.schemaname <> 'pgmend'
   AND s.schemaname !~ '^pg_';
