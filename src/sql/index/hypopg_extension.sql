-- HypoPG: whether it is installed in this database, or could be.
-- @column schema    text? quoted; NULL: it is not installed here
-- @column version   text? installed
-- @column can_hide  bool  it has hypopg_hide_index(): from 1.4 on
-- @column available text? version whose files are on the server
-- @server 14+
SELECT (SELECT pg_catalog.quote_ident(n.nspname)
          FROM pg_catalog.pg_extension e
          JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
         WHERE e.extname = 'hypopg') AS schema,
       (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'hypopg') AS version,
       EXISTS (SELECT
                 FROM pg_catalog.pg_extension e
                 JOIN pg_catalog.pg_proc p ON p.pronamespace = e.extnamespace
                WHERE e.extname = 'hypopg' AND p.proname = 'hypopg_hide_index') AS can_hide,
       (SELECT a.default_version
          FROM pg_catalog.pg_available_extensions a
         WHERE a.name = 'hypopg') AS available;
