-- A storage parameter that a table has of its own.
-- @arg table_oid oid
-- @arg name text
-- @column value text
-- @server 14+
SELECT o.option_value
  FROM pg_catalog.pg_class AS c, pg_catalog.pg_options_to_table(c.reloptions) AS o
 WHERE c.oid = $1::oid AND o.option_name = $2::text;
