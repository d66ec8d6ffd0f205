-- The folders that this session's temporary files go to besides the data folder.
-- @column path text
-- @server 14+
SELECT x.path
  FROM pg_catalog.unnest(pg_catalog.string_to_array(
           pg_catalog.current_setting('temp_tablespaces'), ',')) AS w (word)
  JOIN pg_catalog.pg_tablespace AS t ON t.spcname = pg_catalog.btrim(w.word, ' "')
 CROSS JOIN LATERAL (SELECT pg_catalog.pg_tablespace_location(t.oid)) AS x (path)
 WHERE x.path <> ''
 ORDER BY x.path;
