-- How many constraints of these names there are, on a table or referring to it.
-- @arg table_oid oid
-- @arg names text a JSON array
-- @column count int8
-- @server 14+
SELECT pg_catalog.count(*)
  FROM pg_catalog.pg_constraint AS k
 WHERE (k.conrelid = $1::oid OR k.confrelid = $1::oid)
   AND k.conname::text IN (SELECT g.name FROM pg_catalog.json_array_elements_text($2::json) AS g (name));
