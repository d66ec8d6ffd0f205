-- Extensions that are older than what is installed on the server.
-- @column name text quoted
-- @column version text
-- @column available text
-- @server 14+
SELECT pg_catalog.quote_ident(e.extname), e.extversion, a.default_version
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_available_extensions AS a ON a.name = e.extname
 WHERE a.default_version <> e.extversion
 ORDER BY 1;
