-- Sets a sequence.
-- @arg name text quoted, with its schema
-- @arg value int8
-- @arg is_called bool
-- @column value int8
-- @server 14+
SELECT pg_catalog.setval($1::text::pg_catalog.regclass, $2, $3) AS value;
