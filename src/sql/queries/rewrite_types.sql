-- The parameters of a prepared statement of this session, in order.
-- @arg    name         text
-- @column type         oid
-- @column type_name    text   as in a cast
-- @column has_array    bool
-- @column is_array     bool
-- @column is_number    bool
-- @server 14+
SELECT t.oid, pg_catalog.format_type(t.oid, -1), t.typarray <> 0, t.typcategory = 'A', t.typcategory = 'N'
  FROM pg_catalog.pg_prepared_statements AS s
 CROSS JOIN LATERAL pg_catalog.unnest(s.parameter_types) WITH ORDINALITY AS p (type, ord)
  JOIN pg_catalog.pg_type AS t ON t.oid = p.type
 WHERE s.name = $1
 ORDER BY p.ord
