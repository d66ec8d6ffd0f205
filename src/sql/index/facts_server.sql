-- What of the server and the database bears on every index: sizes of blocks, extensions that bring operator
-- classes, and since when usage is counted.
-- @column block_size int8
-- @column stats_age_s float8 since the database's statistics were reset; -1: never were
-- @column trgm_schema text? of pg_trgm
-- @column can_have_trgm bool its files are there
-- @column vector_schema text?
-- @column gin_schema text? of btree_gin
-- @server 14+
SELECT pg_catalog.current_setting('block_size')::int8,
       COALESCE((SELECT EXTRACT(epoch FROM pg_catalog.now() - pg_catalog.pg_stat_get_db_stat_reset_time(d.oid))
                   FROM pg_catalog.pg_database AS d
                  WHERE d.datname = pg_catalog.current_database()), -1)::float8,
       (SELECT n.nspname::text FROM pg_catalog.pg_extension AS e
          JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'),
       EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS a WHERE a.name = 'pg_trgm'),
       (SELECT n.nspname::text FROM pg_catalog.pg_extension AS e
          JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'vector'),
       (SELECT n.nspname::text FROM pg_catalog.pg_extension AS e
          JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'btree_gin');
