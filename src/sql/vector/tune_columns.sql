-- The columns of a table that an INSERT can give a value.
-- @arg    table_oid oid
-- @column name      text
-- @server 14+
SELECT a.attname::text AS name
  FROM pg_catalog.pg_attribute a
 WHERE a.attrelid OPERATOR(pg_catalog.=) $1 AND a.attnum OPERATOR(pg_catalog.>) 0
   AND NOT a.attisdropped AND a.attgenerated OPERATOR(pg_catalog.=) ''
 ORDER BY a.attnum
