-- The newest messages of a dialog, row by row.
-- @arg dialog_id int4
-- @arg most int4
-- @column id int4
-- @column sender text
-- @column text text
-- @column timestamp text
-- @server 14+
SELECT m.id, m.sender::pg_catalog.text, m.text::pg_catalog.text, m.timestamp::pg_catalog.text
  FROM public.dialog_messages AS m
 WHERE m.dialog_id = $1::pg_catalog.int4
 ORDER BY m.timestamp DESC, m.id DESC
 LIMIT $2::pg_catalog.int4;
