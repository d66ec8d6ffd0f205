-- Forgets what is known of columns; only on a server of our own.
-- @server 14+
DELETE FROM pg_catalog.pg_statistic s WHERE s.starelid >= 16384
