-- Stores what the statements of a server did between two readings, over span_s seconds. A reading that
-- is there already stays; one of a time that is not the store's own, by a day or more, is refused.
-- @arg server int4
-- @arg at_us int8
-- @arg span_s float8
-- @arg query_ids int8[]
-- @arg user_ids int8[]
-- @arg database_ids int8[]
-- @arg calls int8[]
-- @arg ms float8[]
-- @arg row_counts int8[]
-- @arg blocks_hit int8[]
-- @arg blocks_read int8[]
-- @column refused int8
-- @server 14+
WITH given AS MATERIALIZED (
    SELECT u.query_id, u.user_id::oid AS user_id, u.database_id::oid AS database_id,
           LEAST(pg_catalog.sum(u.calls), 2147483647)::int4 AS calls, pg_catalog.sum(u.ms) AS ms,
           pg_catalog.sum(u.row_count)::float8 AS row_count,
           pg_catalog.sum(u.blocks_hit)::float8 AS blocks_hit,
           pg_catalog.sum(u.blocks_read)::float8 AS blocks_read
      FROM ROWS FROM (pg_catalog.unnest($4::int8[]), pg_catalog.unnest($5::int8[]),
                      pg_catalog.unnest($6::int8[]), pg_catalog.unnest($7::int8[]),
                      pg_catalog.unnest($8::float8[]), pg_catalog.unnest($9::int8[]),
                      pg_catalog.unnest($10::int8[]), pg_catalog.unnest($11::int8[]))
           AS u (query_id, user_id, database_id, calls, ms, row_count, blocks_hit, blocks_read)
     GROUP BY u.query_id, u.user_id, u.database_id
), at AS (
    SELECT 'epoch'::timestamptz + $2::int8 * '1 microsecond'::interval AS ts
), known AS MATERIALIZED (
    SELECT s.id, s.seen, g.*
      FROM given AS g
      JOIN pgmend.statement AS s ON s.server = $1::int4::int2 AND s.query_id = g.query_id
       AND s.user_id = g.user_id AND s.database_id = g.database_id
), added AS (
    INSERT INTO pgmend.statement (server, query_id, user_id, database_id, seen)
    SELECT $1::int4::int2, g.query_id, g.user_id, g.database_id, CURRENT_DATE
      FROM given AS g
     WHERE NOT EXISTS (SELECT 1
                         FROM known AS k
                        WHERE k.query_id = g.query_id AND k.user_id = g.user_id
                          AND k.database_id = g.database_id)
        ON CONFLICT (server, query_id, user_id, database_id) DO UPDATE SET seen = excluded.seen
    RETURNING id, query_id, user_id, database_id
), touched AS (
    UPDATE pgmend.statement AS s SET seen = CURRENT_DATE
      FROM known AS k
     WHERE s.id = k.id AND k.seen < CURRENT_DATE
), every AS (
    SELECT e.*, e.id - pg_catalog.lag(e.id, 1, 0) OVER (ORDER BY e.id) AS step
      FROM (SELECT k.id, k.calls, k.ms, k.row_count, k.blocks_hit, k.blocks_read FROM known AS k
             UNION ALL
            SELECT a.id, g.calls, g.ms, g.row_count, g.blocks_hit, g.blocks_read
              FROM added AS a
              JOIN given AS g ON g.query_id = a.query_id AND g.user_id = a.user_id
               AND g.database_id = a.database_id) AS e
), stored AS (
    INSERT INTO pgmend.statement_sample (server, ts, span, step, calls, ms, row_count, blocks_hit,
           blocks_read)
    SELECT $1::int4::int2, at.ts, $3::float8::real, COALESCE(e.step, '{}'), COALESCE(e.calls, '{}'),
           COALESCE(e.ms, '{}'), COALESCE(e.row_count, '{}'), COALESCE(e.blocks_hit, '{}'),
           COALESCE(e.blocks_read, '{}')
      FROM at
     CROSS JOIN (
           SELECT pg_catalog.array_agg(e.step ORDER BY e.id) AS step,
                  pg_catalog.array_agg(e.calls ORDER BY e.id) AS calls,
                  pg_catalog.array_agg(e.ms::real ORDER BY e.id) AS ms,
                  pg_catalog.array_agg(e.row_count::real ORDER BY e.id) AS row_count,
                  pg_catalog.array_agg(e.blocks_hit::real ORDER BY e.id) AS blocks_hit,
                  pg_catalog.array_agg(e.blocks_read::real ORDER BY e.id) AS blocks_read
             FROM every AS e) AS e
     WHERE at.ts BETWEEN pg_catalog.now() - '1 day'::interval AND pg_catalog.now() + '1 day'::interval
        ON CONFLICT DO NOTHING
)
SELECT pg_catalog.count(*)
  FROM at
 WHERE at.ts NOT BETWEEN pg_catalog.now() - '1 day'::interval AND pg_catalog.now() + '1 day'::interval
