-- The first label of an enumerated type, or of one that a domain is over.
-- @arg    type  text   as format_type() writes it
-- @column label text
-- @server 14+
SELECT e.enumlabel::pg_catalog.text
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_enum AS e
    ON e.enumtypid OPERATOR(pg_catalog.=) CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
 WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regtype($1)::pg_catalog.oid
 ORDER BY e.enumsortorder
 LIMIT 1;
