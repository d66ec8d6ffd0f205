-- Where pgvector is installed in this database, and what there is to install.
-- @column schema     text?  NULL: it is not installed
-- @column version    text?
-- @column available  text?  the version that the server could install
-- @server 14+
SELECT n.nspname,
       e.extversion,
       (SELECT a.default_version
          FROM pg_catalog.pg_available_extensions AS a
         WHERE a.name = 'vector')
  FROM (VALUES ('vector')) AS w (name)
  LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = w.name
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
