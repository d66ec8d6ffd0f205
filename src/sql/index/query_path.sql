-- The schemas in which the session looks for names, in order.
-- @column name text
-- @server 14+
SELECT p.name::pg_catalog.text
  FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS p (name, place)
 ORDER BY p.place;
