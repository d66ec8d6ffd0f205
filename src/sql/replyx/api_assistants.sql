-- The assistants of a user, newest first, as the answer of GET /assistants.
-- @arg user_id int4
-- @arg active bool those that are active
-- @arg inactive bool those that are not
-- @column answer text
-- @server 14+
SELECT '[' || coalesce(pg_catalog.string_agg(
           pg_catalog.row_to_json(r)::pg_catalog.text, ',' ORDER BY r.created_at DESC, r.id DESC), '')
           || ']' AS answer
  FROM (SELECT a.id, a.name, a.ai_model, a.is_active, a.created_at
          FROM public.assistants AS a
         WHERE a.user_id = $1::pg_catalog.int4
           AND a.is_active = ANY (ARRAY[$2::pg_catalog.bool, NOT $3::pg_catalog.bool])
       ) AS r;
