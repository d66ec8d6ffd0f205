-- Up to 15: the server does not keep when an index was used last.
SELECT s.indexrelid, COALESCE(s.idx_scan, 0), NULL::pg_catalog.text
  FROM pg_catalog.pg_stat_all_indexes AS s
 WHERE s.schemaname <> 'pgmend'
   AND s.schemaname !~ '^pg_';
