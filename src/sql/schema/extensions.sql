-- The extensions, but those that every database has from its beginning (plpgsql).
-- @column name text
-- @column schema text
-- @column version text
-- @column comment text?
-- @server 14+
SELECT e.extname::text, n.nspname::text, e.extversion, d.description
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = e.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_extension'::pg_catalog.regclass
 WHERE e.oid >= 16384 -- the first object that is not made by initdb
 ORDER BY e.extname;
