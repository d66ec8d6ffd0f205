-- Whether a dialog is this user's.
-- @arg user_id int4
-- @arg dialog_id int4
-- @column id int4
-- @server 14+
SELECT d.id FROM public.dialogs AS d
 WHERE d.id = $2::pg_catalog.int4
   AND d.user_id = $1::pg_catalog.int4;
