-- What a user's assistants did since a time, from counts by day that triggers keep.
-- @arg user_id int4
-- @arg since text
-- @column answer text
-- @server 14+
WITH each AS (
    SELECT a.id, a.name, coalesce(t.messages, 0) AS messages, coalesce(t.dialogs, 0) AS dialogs, a.is_active,
           a.created_at
      FROM public.assistants AS a
      LEFT JOIN (SELECT c.assistant_id, pg_catalog.sum(c.messages) AS messages, pg_catalog.sum(c.dialogs) AS dialogs
                   FROM replyx_api.count_since(
                            $1::pg_catalog.int4, $2::pg_catalog.timestamptz AT TIME ZONE 'UTC') AS c
                  GROUP BY c.assistant_id) AS t ON t.assistant_id = a.id
     WHERE a.user_id = $1::pg_catalog.int4
)
SELECT pg_catalog.concat('{"global":{"totalAssistants":', pg_catalog.count(*),
           ',"activeAssistants":', pg_catalog.count(*) FILTER (WHERE e.is_active),
           ',"totalMessages":', coalesce(pg_catalog.sum(e.messages), 0),
           ',"totalDialogs":', coalesce(pg_catalog.sum(e.dialogs), 0),
           '},"byAssistant":[', pg_catalog.string_agg(
               (SELECT pg_catalog.row_to_json(r)::pg_catalog.text
                  FROM (SELECT e.id, e.name, e.messages, e.dialogs, e.is_active) AS r),
               ',' ORDER BY e.created_at DESC, e.id DESC), ']}') AS answer
  FROM each AS e
