-- All assistants of a user, newest first.
-- @arg user_id int4
-- @column id int4
-- @column name text
-- @column is_active bool
-- @server 14+
SELECT a.id, a.name::pg_catalog.text, a.is_active
  FROM public.assistants AS a
 WHERE a.user_id = $1::pg_catalog.int4
 ORDER BY a.created_at DESC, a.id DESC;
