-- Names that a CREATE INDEX can be wrong about.
-- @column kind text schema, method, tablespace, extension (installed) or available (extension)
-- @column name text
-- @server 14+
SELECT 'schema', n.nspname::text FROM pg_catalog.pg_namespace AS n
UNION ALL
SELECT 'method', m.amname::text FROM pg_catalog.pg_am AS m WHERE m.amtype = 'i'
UNION ALL
SELECT 'tablespace', t.spcname::text FROM pg_catalog.pg_tablespace AS t
UNION ALL
SELECT 'extension', e.extname::text FROM pg_catalog.pg_extension AS e
UNION ALL
SELECT 'available', a.name::text FROM pg_catalog.pg_available_extensions AS a
 WHERE a.installed_version IS NULL
 ORDER BY 1, 2;
