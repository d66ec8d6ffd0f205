-- The e-mail address of a user.
-- @arg    user_id  int4
-- @column email    text
-- @server 14+
SELECT u.email::text
  FROM public.users AS u
 WHERE u.id = $1
