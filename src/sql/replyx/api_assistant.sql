-- An assistant of this user.
-- @arg    user_id       int4
-- @arg    assistant_id  int4
-- @column id            int4
-- @column name          text
-- @column ai_model      text
-- @column is_active     bool
-- @server 14+
SELECT a.id,
       a.name::text,
       a.ai_model::text,
       a.is_active
  FROM public.assistants AS a
 WHERE a.id = $2
   AND a.user_id = $1
