-- Makes hours of the minutes that are complete, as monitor/store_minute_samples does with ticks. At
-- most a day at a time.
-- @column made int8 rows
-- @server 14+
WITH todo AS MATERIALIZED (
    SELECT p.server, f.ts AS from_ts,
           LEAST(pg_catalog.date_trunc('hour', n.ts, 'UTC'), f.ts + '1 day'::interval) AS until_ts
      FROM pgmend.store_progress AS p
     CROSS JOIN LATERAL (
           SELECT pg_catalog.date_trunc('hour', s.ts, 'UTC') AS ts
             FROM pgmend.sample_minute AS s
            WHERE s.server = p.server AND s.ts >= p.done_until
            ORDER BY s.ts LIMIT 1) AS f
     CROSS JOIN LATERAL (
           SELECT s.ts
             FROM pgmend.sample_minute AS s
            WHERE s.server = p.server AND s.ts >= p.done_until
              AND s.ts <= pg_catalog.now() + '1 hour'::interval
            ORDER BY s.ts DESC LIMIT 1) AS n
     WHERE p.kind = 'sample_hour'
       FOR UPDATE OF p SKIP LOCKED
), made AS (
    INSERT INTO pgmend.sample_hour AS m (server, ts, series, mean, least, most, ticks)
    SELECT t.server, b.ts, b.series, b.mean, b.least, b.most, b.ticks
      FROM todo AS t
     CROSS JOIN LATERAL (
           SELECT v.ts, pg_catalog.array_agg(v.series ORDER BY v.series) AS series,
                  pg_catalog.array_agg(v.mean ORDER BY v.series) AS mean,
                  pg_catalog.array_agg(v.least ORDER BY v.series) AS least,
                  pg_catalog.array_agg(v.most ORDER BY v.series) AS most,
                  pg_catalog.array_agg(v.ticks ORDER BY v.series) AS ticks
             FROM (SELECT pg_catalog.date_trunc('hour', s.ts, 'UTC') AS ts, u.series,
                          pg_catalog.sum(u.mean * u.ticks) / pg_catalog.sum(u.ticks) AS mean,
                          pg_catalog.min(u.least) AS least, pg_catalog.max(u.most) AS most,
                          pg_catalog.sum(u.ticks)::integer AS ticks
                     FROM pgmend.sample_minute AS s
                    CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(s.series),
                          pg_catalog.unnest(s.mean), pg_catalog.unnest(s.least),
                          pg_catalog.unnest(s.most), pg_catalog.unnest(s.ticks))
                          AS u (series, mean, least, most, ticks)
                    WHERE s.server = t.server AND s.ts >= t.from_ts AND s.ts < t.until_ts
                    GROUP BY 1, 2) AS v
            GROUP BY v.ts) AS b
        ON CONFLICT (ts, server) DO UPDATE
       SET series = excluded.series, mean = excluded.mean, least = excluded.least,
           most = excluded.most, ticks = excluded.ticks
    RETURNING 1
), noted AS (
    UPDATE pgmend.store_progress AS p SET done_until = t.until_ts
      FROM todo AS t
     WHERE p.server = t.server AND p.kind = 'sample_hour' AND t.until_ts > p.done_until
)
SELECT pg_catalog.count(*) FROM made
