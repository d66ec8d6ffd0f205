-- A page of all dialogs of a user as the answer's JSON. They are read once, for the count and the page.
-- @arg    user_id  int4
-- @arg    page     int4  1 …
-- @arg    most     int4  dialogs on a page
-- @column body     text
-- @server 14+
WITH mine AS MATERIALIZED (
    SELECT d.id, d.started_at
      FROM public.dialogs AS d
     WHERE d.user_id = $1
), page AS (
    SELECT m.id, m.started_at
      FROM mine AS m
     ORDER BY m.started_at DESC, m.id DESC
    OFFSET ($2::int4::int8 - 1) * $3::int4
     LIMIT $3::int4
), item AS (
    SELECT d.id,
           d.assistant_id,
           COALESCE('Диалог с ' || NULLIF(pg_catalog.concat_ws(' ', NULLIF(d.first_name, ''),
                                                               NULLIF(d.last_name, '')), ''),
                    'Диалог с @' || NULLIF(d.telegram_username, ''),
                    'Диалог ' || d.id) AS title,
           CASE WHEN d.ended_at IS NULL THEN 'active' ELSE 'completed' END AS status,
           d.handoff_status,
           d.started_at,
           (SELECT pg_catalog.row_to_json(l)
              FROM (SELECT m.id, m.sender, m.text, m."timestamp"
                      FROM public.dialog_messages AS m
                     WHERE m.dialog_id = d.id
                     ORDER BY m."timestamp" DESC, m.id DESC
                     LIMIT 1) AS l) AS last_message,
           (SELECT u.email FROM public.users AS u WHERE u.id = d.user_id) AS owner_email
      FROM page AS p
      JOIN public.dialogs AS d ON d.id = p.id
     WHERE d.user_id = $1
)
SELECT pg_catalog.concat(
           '{"items":[', (SELECT pg_catalog.string_agg(pg_catalog.row_to_json(i)::text, ','
                                                       ORDER BY i.started_at DESC, i.id DESC)
                            FROM item AS i),
           '],"total":', t.total, ',"page":', $2::int4, ',"pages":', (t.total + $3::int4 - 1) / $3::int4,
           ',"limit":', $3::int4, '}')
  FROM (SELECT pg_catalog.count(*) AS total FROM mine) AS t
