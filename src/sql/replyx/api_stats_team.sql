-- The earlier rewrite of api_stats.sql, which is wrong in two ways, kept so that tests see it caught: it counts the
-- messages of dialogs that began since the time, and leaves assistants without messages out.
-- @arg user_id int4
-- @arg since text
-- @column answer text
-- @server 14+
SELECT pg_catalog.concat('{"global":{"totalAssistants":', pg_catalog.count(*),
           ',"activeAssistants":', pg_catalog.count(*) FILTER (WHERE e.is_active),
           ',"totalMessages":', coalesce(pg_catalog.sum(e.messages), 0),
           ',"totalDialogs":', coalesce(pg_catalog.sum(e.dialogs), 0),
           '},"byAssistant":[', pg_catalog.string_agg(
               (SELECT pg_catalog.row_to_json(r)::pg_catalog.text
                  FROM (SELECT e.id, e.name, e.messages, e.dialogs, e.is_active) AS r),
               ',' ORDER BY e.created_at DESC, e.id DESC), ']}') AS answer
  FROM (SELECT a.id, a.name, pg_catalog.count(m.id) AS messages,
               pg_catalog.count(DISTINCT d.id) AS dialogs, a.is_active, a.created_at
          FROM public.assistants AS a
          LEFT JOIN public.dialogs AS d ON d.assistant_id = a.id AND d.user_id = $1::pg_catalog.int4
          LEFT JOIN public.dialog_messages AS m ON m.dialog_id = d.id
         WHERE a.user_id = $1::pg_catalog.int4
           AND m.sender::pg_catalog.text = 'assistant'
           AND d.started_at >= ($2::pg_catalog.timestamptz AT TIME ZONE 'UTC')
         GROUP BY a.id) AS e;
