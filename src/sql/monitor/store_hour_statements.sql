-- Makes hours of the minutes of statements that are complete, as monitor/store_minute_samples does
-- with ticks. At most six hours at a time.
-- @column made int8 rows
-- @server 14+
WITH todo AS MATERIALIZED (
    SELECT p.server, f.ts AS from_ts,
           LEAST(pg_catalog.date_trunc('hour', n.ts, 'UTC'), f.ts + '6 hours'::interval) AS until_ts
      FROM pgmend.store_progress AS p
     CROSS JOIN LATERAL (
           SELECT pg_catalog.date_trunc('hour', s.ts, 'UTC') AS ts
             FROM pgmend.statement_minute AS s
            WHERE s.server = p.server AND s.ts >= p.done_until
            ORDER BY s.ts LIMIT 1) AS f
     CROSS JOIN LATERAL (
           SELECT s.ts
             FROM pgmend.statement_minute AS s
            WHERE s.server = p.server AND s.ts >= p.done_until
              AND s.ts <= pg_catalog.now() + '1 hour'::interval
            ORDER BY s.ts DESC LIMIT 1) AS n
     WHERE p.kind = 'statement_hour'
       FOR UPDATE OF p SKIP LOCKED
), made AS (
    INSERT INTO pgmend.statement_hour AS m (server, ts, span, step, calls, ms, row_count, blocks_hit,
           blocks_read)
    SELECT t.server, b.ts, b.span, COALESCE(a.step, '{}'), COALESCE(a.calls, '{}'),
           COALESCE(a.ms, '{}'), COALESCE(a.row_count, '{}'), COALESCE(a.blocks_hit, '{}'),
           COALESCE(a.blocks_read, '{}')
      FROM todo AS t
     CROSS JOIN LATERAL (
           SELECT pg_catalog.date_trunc('hour', s.ts, 'UTC') AS ts,
                  pg_catalog.sum(s.span::float8)::real AS span
             FROM pgmend.statement_minute AS s
            WHERE s.server = t.server AND s.ts >= t.from_ts AND s.ts < t.until_ts
            GROUP BY 1) AS b
     CROSS JOIN LATERAL (
           SELECT pg_catalog.array_agg(w.step ORDER BY w.id) AS step,
                  pg_catalog.array_agg(w.calls ORDER BY w.id) AS calls,
                  pg_catalog.array_agg(w.ms ORDER BY w.id) AS ms,
                  pg_catalog.array_agg(w.row_count ORDER BY w.id) AS row_count,
                  pg_catalog.array_agg(w.blocks_hit ORDER BY w.id) AS blocks_hit,
                  pg_catalog.array_agg(w.blocks_read ORDER BY w.id) AS blocks_read
             FROM (SELECT v.id, v.id - pg_catalog.lag(v.id, 1, 0) OVER (ORDER BY v.id) AS step,
                          LEAST(pg_catalog.sum(v.calls), 2147483647)::int4 AS calls,
                          pg_catalog.sum(v.ms::float8)::real AS ms,
                          pg_catalog.sum(v.row_count::float8)::real AS row_count,
                          pg_catalog.sum(v.blocks_hit::float8)::real AS blocks_hit,
                          pg_catalog.sum(v.blocks_read::float8)::real AS blocks_read
                     FROM pgmend.statement_minute AS s
                    CROSS JOIN LATERAL (
                          SELECT (pg_catalog.sum(u.step) OVER (ORDER BY u.n))::int4 AS id, u.calls, u.ms,
                                 u.row_count, u.blocks_hit, u.blocks_read
                            FROM ROWS FROM (pg_catalog.unnest(s.step), pg_catalog.unnest(s.calls),
                                 pg_catalog.unnest(s.ms), pg_catalog.unnest(s.row_count),
                                 pg_catalog.unnest(s.blocks_hit), pg_catalog.unnest(s.blocks_read))
                                 WITH ORDINALITY
                                 AS u (step, calls, ms, row_count, blocks_hit, blocks_read, n)) AS v
                    WHERE s.server = t.server AND s.ts >= b.ts AND s.ts < b.ts + '1 hour'::interval
                    GROUP BY v.id) AS w) AS a
        ON CONFLICT (ts, server) DO UPDATE
       SET span = excluded.span, step = excluded.step, calls = excluded.calls, ms = excluded.ms,
           row_count = excluded.row_count, blocks_hit = excluded.blocks_hit,
           blocks_read = excluded.blocks_read
    RETURNING 1
), noted AS (
    UPDATE pgmend.store_progress AS p SET done_until = t.until_ts
      FROM todo AS t
     WHERE p.server = t.server AND p.kind = 'statement_hour' AND t.until_ts > p.done_until
)
SELECT pg_catalog.count(*) FROM made
