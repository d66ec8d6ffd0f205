-- The columns of a table as a copy of it can have them, in their order. A domain is its base type.
-- @arg table_oid oid
-- @column name         text
-- @column type         text   of pg_catalog, as SQL
-- @column vector_type  text?  of pgvector, without its schema; then type is of no use
-- @column is_known     bool   the type is of pg_catalog or pgvector
-- @column collation    text?  of pg_catalog, as SQL, where it is not the type's own
-- @column storage      text
-- @column compression  text?  lz4 or pglz, where it is not the server's
-- @server 14+
WITH RECURSIVE resolved (number, type, modifier) AS (
    SELECT a.attnum, a.atttypid, a.atttypmod
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
     UNION ALL
    SELECT r.number, t.typbasetype, t.typtypmod
      FROM resolved AS r
      JOIN pg_catalog.pg_type AS t ON t.oid = r.type
     WHERE t.typtype = 'd'
), of_vector AS (
    SELECT d.objid AS type
      FROM pg_catalog.pg_extension AS e
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
       AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
     WHERE e.extname = 'vector'
)
SELECT a.attname::text,
       pg_catalog.format_type(t.oid, r.modifier),
       CASE WHEN v.type IS NOT NULL
            THEN t.typname || CASE WHEN r.modifier > 0 THEN '(' || r.modifier || ')' ELSE '' END END,
       t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace OR v.type IS NOT NULL,
       CASE WHEN a.attcollation <> t.typcollation AND c.collnamespace = 'pg_catalog'::pg_catalog.regnamespace
            THEN 'pg_catalog.' || pg_catalog.quote_ident(c.collname) END,
       CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                         WHEN 'm' THEN 'main' ELSE 'extended' END,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END
  FROM resolved AS r
  JOIN pg_catalog.pg_type AS t ON t.oid = r.type AND t.typtype <> 'd'
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = $1::oid AND a.attnum = r.number
  LEFT JOIN pg_catalog.pg_collation AS c ON c.oid = a.attcollation
  LEFT JOIN of_vector AS v ON v.type = t.oid
 ORDER BY a.attnum
