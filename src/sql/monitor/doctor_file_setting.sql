-- What ALTER SYSTEM has written, for the exact undo. Superusers and those who were granted it.
-- @column name text
-- @column value text
-- @server 14+
SELECT DISTINCT ON (f.name) f.name, f.setting
  FROM pg_catalog.pg_file_settings AS f
 WHERE f.sourcefile LIKE '%/postgresql.auto.conf' AND f.name IS NOT NULL
 ORDER BY f.name, f.seqno DESC;
