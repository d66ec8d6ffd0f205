-- What ALTER SYSTEM has written of a parameter: the file is read anew.
-- @arg name text
-- @column value text
-- @column is_applied bool
-- @column problem text?
-- @server 14+
SELECT f.setting, f.applied, f.error
  FROM pg_catalog.pg_file_settings AS f
 WHERE f.name = pg_catalog.lower($1::text)
   AND f.sourcefile LIKE '%/postgresql.auto.conf'
 ORDER BY f.seqno DESC
 LIMIT 1;
