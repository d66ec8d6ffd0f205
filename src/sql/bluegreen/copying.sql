-- The tables that are being copied here now.
-- @column name text
-- @column bytes int8 so far
-- @column rows int8 so far
-- @server 14+
SELECT p.relid::pg_catalog.regclass::text AS name, p.bytes_processed AS bytes, p.tuples_processed AS rows
  FROM pg_catalog.pg_stat_progress_copy AS p
 WHERE p.datname = pg_catalog.current_database() AND p.command = 'COPY FROM'
 ORDER BY 1;
