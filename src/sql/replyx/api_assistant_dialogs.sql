-- All dialogs of an assistant as the answer's JSON; no row when the assistant is not this user's.
-- Outer joins have their conditions in ON, so that a dialog without messages stays.
-- @arg    user_id       int4
-- @arg    assistant_id  int4
-- @column body          text
-- @server 14+
SELECT pg_catalog.concat('[', (
           SELECT pg_catalog.string_agg(pg_catalog.row_to_json(r)::text, ','
                                        ORDER BY r.started_at DESC, r.id DESC)
             FROM (SELECT d.id,
                          COALESCE('Диалог с ' || NULLIF(pg_catalog.concat_ws(' ', NULLIF(d.first_name, ''),
                                                                              NULLIF(d.last_name, '')), ''),
                                   'Диалог с @' || NULLIF(d.telegram_username, ''),
                                   'Диалог ' || d.id) AS title,
                          CASE WHEN d.ended_at IS NULL THEN 'active' ELSE 'completed' END AS status,
                          d.started_at,
                          pg_catalog.max(m."timestamp") AS last_message_at,
                          pg_catalog.count(m.dialog_id) AS message_count
                     FROM public.dialogs AS d
                     LEFT JOIN public.dialog_messages AS m ON m.dialog_id = d.id
                    WHERE d.assistant_id = a.id
                      AND d.user_id = $1
                    GROUP BY d.id) AS r), ']')
  FROM public.assistants AS a
 WHERE a.id = $2
   AND a.user_id = $1
