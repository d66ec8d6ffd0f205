-- A column as it is.
-- @arg table_oid oid
-- @arg name text
-- @column number int4 that no other column of the table ever has
-- @column type text
-- @column storage text PLAIN, EXTERNAL, MAIN or EXTENDED
-- @column is_plain bool nullable, without default, identity, expression or constraint, of no domain
-- @server 14+
SELECT a.attnum::int4, pg_catalog.format_type(a.atttypid, a.atttypmod),
       CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
                         ELSE 'EXTENDED' END,
       NOT a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = ''
       AND t.typtype <> 'd'
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k
                        WHERE k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey))
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
 WHERE a.attrelid = $1::oid
   AND a.attname = $2
   AND a.attnum > 0
   AND NOT a.attisdropped;
