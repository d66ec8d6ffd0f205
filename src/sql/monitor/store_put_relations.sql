-- Stores size and counters of a server's tables or indexes.
-- @arg server int4
-- @arg at_us int8
-- @arg kind text
-- @arg datnames text[]
-- @arg schemanames text[]
-- @arg relnames text[]
-- @arg bytes int8[]
-- @arg scans int8[]
-- @arg changes int8[]
-- @arg dead int8[]
-- @server 14+
WITH given AS MATERIALIZED (
    SELECT DISTINCT ON (u.datname, u.schemaname, u.relname) u.*
      FROM ROWS FROM (pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[]),
                      pg_catalog.unnest($6::text[]), pg_catalog.unnest($7::int8[]),
                      pg_catalog.unnest($8::int8[]), pg_catalog.unnest($9::int8[]),
                      pg_catalog.unnest($10::int8[]))
           AS u (datname, schemaname, relname, bytes, scans, changes, dead)
     ORDER BY u.datname, u.schemaname, u.relname
), at AS (
    SELECT 'epoch'::timestamptz + $2::int8 * '1 microsecond'::interval AS ts
), known AS MATERIALIZED (
    SELECT r.id, r.seen, g.*
      FROM given AS g
      JOIN pgmend.relation AS r ON r.server = $1::int4::int2 AND r.kind = $3::text
       AND r.datname = g.datname AND r.schemaname = g.schemaname AND r.relname = g.relname
), added AS (
    INSERT INTO pgmend.relation (server, kind, datname, schemaname, relname, seen)
    SELECT $1::int4::int2, $3::text, g.datname, g.schemaname, g.relname, CURRENT_DATE
      FROM given AS g
     WHERE NOT EXISTS (SELECT 1
                         FROM known AS k
                        WHERE k.datname = g.datname AND k.schemaname = g.schemaname
                          AND k.relname = g.relname)
        ON CONFLICT (server, kind, datname, schemaname, relname) DO UPDATE SET seen = excluded.seen
    RETURNING id, datname, schemaname, relname
), touched AS (
    UPDATE pgmend.relation AS r SET seen = CURRENT_DATE
      FROM known AS k
     WHERE r.id = k.id AND k.seen < CURRENT_DATE
), every AS (
    SELECT e.*, e.id - pg_catalog.lag(e.id, 1, 0) OVER (ORDER BY e.id) AS step
      FROM (SELECT k.id, k.bytes, k.scans, k.changes, k.dead FROM known AS k
             UNION ALL
            SELECT a.id, g.bytes, g.scans, g.changes, g.dead
              FROM added AS a
              JOIN given AS g ON g.datname = a.datname AND g.schemaname = a.schemaname
               AND g.relname = a.relname) AS e
)
INSERT INTO pgmend.relation_sample (server, ts, kind, step, bytes, scans, changes, dead)
SELECT $1::int4::int2, at.ts, $3::text, pg_catalog.array_agg(e.step ORDER BY e.id),
       pg_catalog.array_agg(e.bytes ORDER BY e.id), pg_catalog.array_agg(e.scans ORDER BY e.id),
       pg_catalog.array_agg(e.changes ORDER BY e.id), pg_catalog.array_agg(e.dead ORDER BY e.id)
  FROM at, every AS e
 WHERE at.ts BETWEEN pg_catalog.now() - '1 day'::interval AND pg_catalog.now() + '1 day'::interval
 GROUP BY at.ts
    ON CONFLICT DO NOTHING
