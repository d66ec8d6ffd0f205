-- Where this database's tables are made, and whether a version of pgvector can be installed.
-- @arg version text
-- @column folder         text   of the tablespace; empty: below the data folder
-- @column has_version    bool
-- @server 14+
SELECT pg_catalog.pg_tablespace_location(d.dattablespace),
       EXISTS (SELECT FROM pg_catalog.pg_available_extension_versions AS v
                WHERE v.name = 'vector' AND v.version = $1::text)
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = pg_catalog.current_database()
