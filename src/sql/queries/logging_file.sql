-- The file that the logging collector writes in one form, and how long it is; no row: there is none.
-- @arg form text
-- @column path text relative to the data directory, or absolute
-- @column bytes int8
-- @server 14+
SELECT l.path, f.size
  FROM pg_catalog.pg_current_logfile($1) AS l(path),
       LATERAL pg_catalog.pg_stat_file(l.path, true) AS f
 WHERE l.path IS NOT NULL
   AND f.size IS NOT NULL;
