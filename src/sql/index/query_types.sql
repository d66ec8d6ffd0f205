-- The types of a prepared statement's parameters, as the server found them out.
-- @arg    statement text
-- @column type      text
-- @server 14+
SELECT t.type::pg_catalog.text
  FROM pg_catalog.pg_prepared_statements AS p
 CROSS JOIN pg_catalog.unnest(p.parameter_types) WITH ORDINALITY AS t (type, place)
 WHERE p.name OPERATOR(pg_catalog.=) $1
 ORDER BY t.place;
