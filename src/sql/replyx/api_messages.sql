-- The newest messages of a dialog of a user, as the answer of GET /dialogs/{id}/messages; no row: not his.
-- @arg user_id int4
-- @arg dialog_id int4
-- @arg most int4
-- @column answer text
-- @server 14+
SELECT '[' || coalesce((
           SELECT pg_catalog.string_agg(pg_catalog.row_to_json(r)::pg_catalog.text, ','
                      ORDER BY r.timestamp DESC, r.id DESC)
             FROM (SELECT m.id, m.sender, m.text, m.timestamp
                     FROM public.dialog_messages AS m
                    WHERE m.dialog_id = d.id
                    ORDER BY m.timestamp DESC, m.id DESC
                    LIMIT $3::pg_catalog.int4) AS r), '') || ']' AS answer
  FROM public.dialogs AS d
 WHERE d.id = $2::pg_catalog.int4
   AND d.user_id = $1::pg_catalog.int4;
