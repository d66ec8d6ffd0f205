-- A database of this server by its name, as it has to be made again.
-- @arg name text
-- @column id oid
-- @column encoding text
-- @column collate_name text
-- @column ctype_name text
-- @server 14+
SELECT d.oid AS id, pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       d.datcollate::text AS collate_name, d.datctype::text AS ctype_name
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = $1;
