-- What a user's assistants did since a time, from the counts by day; of the day that the time is in, from the rows.
--
-- The rows of that day are those of the dialogs that the counts name. Until the counts are complete all is counted
-- from the rows.
--
-- @arg user_id int4
-- @arg since text
-- @column answer text
-- @server 14+
WITH edge AS (
    SELECT s.assistant_id, s.dialog_id, pg_catalog.sum(s.messages) AS messages, pg_catalog.sum(s.dialogs) AS dialogs
      FROM replyx_api.assistant_daily_stats AS s
     WHERE s.user_id = $1::pg_catalog.int4
       AND s.day = ($2::pg_catalog.timestamptz AT TIME ZONE 'UTC')::pg_catalog.date
       AND (SELECT r.is_complete FROM replyx_api.rollup_state AS r)
     GROUP BY s.assistant_id, s.dialog_id
), counted AS (
    SELECT s.assistant_id, pg_catalog.sum(s.messages) AS messages, pg_catalog.sum(s.dialogs) AS dialogs
      FROM replyx_api.assistant_daily_stats AS s
     WHERE s.user_id = $1::pg_catalog.int4
       AND s.day > ($2::pg_catalog.timestamptz AT TIME ZONE 'UTC')::pg_catalog.date
       AND (SELECT r.is_complete FROM replyx_api.rollup_state AS r)
     GROUP BY s.assistant_id
    UNION ALL
    SELECT e.assistant_id, pg_catalog.count(*), 0::pg_catalog.int8
      FROM edge AS e
      JOIN public.dialog_messages AS m ON m.dialog_id = e.dialog_id
     WHERE e.messages > 0
       AND m.sender::pg_catalog.text = 'assistant'
       AND m.timestamp >= ($2::pg_catalog.timestamptz AT TIME ZONE 'UTC')
       AND m.timestamp < (($2::pg_catalog.timestamptz AT TIME ZONE 'UTC')::pg_catalog.date + 1)::pg_catalog.timestamp
     GROUP BY e.assistant_id
    UNION ALL
    SELECT e.assistant_id, 0, pg_catalog.count(*)
      FROM edge AS e
      JOIN public.dialogs AS d ON d.id = e.dialog_id
     WHERE e.dialogs > 0
       AND d.user_id = $1::pg_catalog.int4
       AND d.started_at >= ($2::pg_catalog.timestamptz AT TIME ZONE 'UTC')
     GROUP BY e.assistant_id
    UNION ALL
    SELECT r.assistant_id, r.messages, r.dialogs
      FROM replyx_api.count_rows($1::pg_catalog.int4, $2::pg_catalog.timestamptz AT TIME ZONE 'UTC') AS r
     WHERE (SELECT r.is_complete FROM replyx_api.rollup_state AS r) IS NOT TRUE
), total AS (
    SELECT c.assistant_id, pg_catalog.sum(c.messages) AS messages, pg_catalog.sum(c.dialogs) AS dialogs
      FROM counted AS c
     GROUP BY c.assistant_id
), each AS (
    SELECT a.id, a.name, coalesce(t.messages, 0) AS messages, coalesce(t.dialogs, 0) AS dialogs, a.is_active,
           a.created_at
      FROM public.assistants AS a
      LEFT JOIN total AS t ON t.assistant_id = a.id
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
