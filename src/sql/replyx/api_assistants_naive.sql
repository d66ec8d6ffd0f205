-- The assistants of a user, newest first, row by row.
-- @arg user_id int4
-- @arg active bool those that are active
-- @arg inactive bool those that are not
-- @column id int4
-- @column name text
-- @column ai_model text
-- @column is_active bool
-- @column created_at text
-- @server 14+
SELECT a.id, a.name::pg_catalog.text, a.ai_model::pg_catalog.text, a.is_active,
       a.created_at::pg_catalog.text
  FROM public.assistants AS a
 WHERE a.user_id = $1::pg_catalog.int4
   AND a.is_active = ANY (ARRAY[$2::pg_catalog.bool, NOT $3::pg_catalog.bool])
 ORDER BY a.created_at DESC, a.id DESC;
