-- The extensions of this database, and whether they can be made.
-- @column name text
-- @column version text? the installed one, or NULL
-- @column is_available bool
-- @server 14+
SELECT COALESCE(e.extname, a.name)::text AS name, e.extversion AS version,
       a.name IS NOT NULL AS is_available
  FROM pg_catalog.pg_extension AS e
  FULL JOIN pg_catalog.pg_available_extensions AS a ON a.name = e.extname
 ORDER BY 1;
