-- Stores a tick of a server. One that is there already stays; one of a time that is not the store's
-- own, by a day or more, is refused.
-- @arg server int4
-- @arg at_us int8
-- @arg metrics text[]
-- @arg labels text[]
-- @arg samples float8[]
-- @column refused int8
-- @server 14+
WITH given AS MATERIALIZED (
    SELECT u.metric, u.labels, u.value
      FROM ROWS FROM (pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]),
                      pg_catalog.unnest($5::float8[])) AS u (metric, labels, value)
), at AS (
    SELECT 'epoch'::timestamptz + $2::int8 * '1 microsecond'::interval AS ts
), known AS MATERIALIZED (
    SELECT s.id, s.seen, g.metric, g.labels, g.value
      FROM given AS g
      JOIN pgmend.series AS s ON s.metric = g.metric AND s.labels = g.labels
), added AS (
    INSERT INTO pgmend.series (metric, labels, seen)
    SELECT DISTINCT g.metric, g.labels, CURRENT_DATE
      FROM given AS g
     WHERE NOT EXISTS (SELECT 1 FROM known AS k WHERE k.metric = g.metric AND k.labels = g.labels)
        ON CONFLICT (metric, labels) DO UPDATE SET seen = excluded.seen
    RETURNING id, metric, labels
), touched AS (
    UPDATE pgmend.series AS s SET seen = CURRENT_DATE
      FROM known AS k
     WHERE s.id = k.id AND k.seen < CURRENT_DATE
), every AS (
    SELECT DISTINCT ON (e.id) e.id, e.value
      FROM (SELECT k.id, k.value FROM known AS k
             UNION ALL
            SELECT a.id, g.value
              FROM added AS a
              JOIN given AS g ON g.metric = a.metric AND g.labels = a.labels) AS e
     ORDER BY e.id
), stored AS (
    INSERT INTO pgmend.sample (server, ts, series, value)
    SELECT $1::int4::int2, at.ts, pg_catalog.array_agg(e.id ORDER BY e.id),
           pg_catalog.array_agg(e.value ORDER BY e.id)
      FROM every AS e, at
     WHERE at.ts BETWEEN pg_catalog.now() - '1 day'::interval AND pg_catalog.now() + '1 day'::interval
     GROUP BY at.ts
        ON CONFLICT DO NOTHING
)
SELECT pg_catalog.count(*)
  FROM at
 WHERE at.ts NOT BETWEEN pg_catalog.now() - '1 day'::interval AND pg_catalog.now() + '1 day'::interval
