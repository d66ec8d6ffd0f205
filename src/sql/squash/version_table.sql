-- The schemas in which Alembic would find its version table: the one that is named, else those of the role's own search_path, in order.
-- @arg    name     text
-- @arg    schema   text '': by the search_path
-- @column schema   text
-- @column may_read bool
-- @server 14+
WITH parts AS (
    SELECT p.position, pg_catalog.btrim(p.part) AS part
      FROM pg_catalog.pg_settings s,
           LATERAL pg_catalog.unnest(pg_catalog.string_to_array(s.reset_val, ',')) WITH ORDINALITY AS p (part, position)
     WHERE s.name = 'search_path'
), path AS (
    SELECT p.position,
           CASE WHEN p.part IN ('"$user"', '$user') THEN current_user::text
                WHEN p.part LIKE '"%"'
                THEN pg_catalog.replace(pg_catalog.substr(p.part, 2, pg_catalog.length(p.part) - 2), '""', '"')
                ELSE p.part END AS name
      FROM parts p
)
SELECT n.nspname::text AS schema,
       pg_catalog.has_table_privilege(c.oid, 'SELECT')
           AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_read
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN path p ON p.name = n.nspname::text AND $2::text = ''
 WHERE c.relname::text = $1::text
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND (n.nspname::text = $2::text OR p.position IS NOT NULL)
 ORDER BY p.position
