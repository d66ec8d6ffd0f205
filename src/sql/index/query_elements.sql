-- The common elements of an array or text search column, the commonest first.
-- @arg    schema_name text
-- @arg    table_name  text
-- @arg    column_name text
-- @column element     text
-- @server 14+
SELECT e.element
  FROM pg_catalog.pg_stats AS s
 CROSS JOIN LATERAL ROWS FROM (
       pg_catalog.unnest(s.most_common_elems::pg_catalog.text::pg_catalog.text[]),
       pg_catalog.unnest(s.most_common_elem_freqs)) WITH ORDINALITY AS e (element, share, place)
 WHERE s.schemaname OPERATOR(pg_catalog.=) $1::pg_catalog.name
   AND s.tablename OPERATOR(pg_catalog.=) $2::pg_catalog.name
   AND s.attname OPERATOR(pg_catalog.=) $3::pg_catalog.name
   AND e.element IS NOT NULL
   AND e.share IS NOT NULL
 ORDER BY s.inherited, e.share DESC, e.place
 LIMIT 20;
