-- Bots of a user with their assistants as the answer's JSON.
-- The assistant's owner is looked at in ON: a bot whose assistant is not there stays, with null.
-- @arg    user_id  int4
-- @column body     text
-- @server 14+
SELECT pg_catalog.concat('[', pg_catalog.string_agg(pg_catalog.row_to_json(r)::text, ','
                                                    ORDER BY r.created_at DESC, r.id DESC), ']')
  FROM (SELECT b.id,
               b.platform,
               b.is_active,
               b.created_at,
               CASE WHEN a.id IS NOT NULL
                    THEN (SELECT pg_catalog.row_to_json(s)
                            FROM (SELECT a.id, a.name, a.ai_model, a.is_active) AS s)
               END AS assistant
          FROM public.bot_instances AS b
          LEFT JOIN public.assistants AS a ON a.id = b.assistant_id AND a.user_id = $1
         WHERE b.user_id = $1) AS r
