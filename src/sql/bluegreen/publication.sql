-- How many tables a publication of this database has.
-- @arg name text
-- @column tables int8
-- @server 14+
SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_publication_rel AS r WHERE r.prpubid = p.oid) AS tables
  FROM pg_catalog.pg_publication AS p
 WHERE p.pubname = $1;
