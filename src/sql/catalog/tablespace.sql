-- Where a new index would go: the folder of a tablespace, empty for the cluster's own folder.
-- @arg name text? of the tablespace, NULL for the role's or the database's own
-- @column path text
-- @server 14+
SELECT COALESCE(pg_catalog.pg_tablespace_location(t.oid), '')
  FROM pg_catalog.pg_tablespace AS t
 WHERE t.oid = COALESCE((SELECT n.oid FROM pg_catalog.pg_tablespace AS n
                          WHERE n.spcname = COALESCE(
                              $1, NULLIF(pg_catalog.current_setting('default_tablespace'), ''))),
                        (SELECT d.dattablespace FROM pg_catalog.pg_database AS d
                          WHERE d.datname = pg_catalog.current_database()));
