-- Metrics over time: each tick, and where those are gone minutes, and then hours.
-- @server 14+
CREATE OR REPLACE VIEW pgmend.metric_history AS
SELECT r.ts, m.name AS server, s.metric, s.labels, u.mean AS value, u.least, u.most, u.ticks,
       r.span
  FROM (SELECT a.server, a.ts, a.series, a.value AS mean, a.value AS least, a.value AS most,
               pg_catalog.array_fill(1, ARRAY[pg_catalog.cardinality(a.series)]) AS ticks,
               interval '0' AS span
          FROM pgmend.sample AS a
         UNION ALL
        SELECT b.server, b.ts, b.series, b.mean, b.least, b.most, b.ticks, interval '1 minute'
          FROM pgmend.sample_minute AS b
         WHERE b.ts < (SELECT pg_catalog.date_trunc('minute', COALESCE(pg_catalog.min(a.ts), 'infinity'), 'UTC')
                         FROM pgmend.sample AS a)
         UNION ALL
        SELECT c.server, c.ts, c.series, c.mean, c.least, c.most, c.ticks, interval '1 hour'
          FROM pgmend.sample_hour AS c
         WHERE c.ts < (SELECT pg_catalog.date_trunc('hour', COALESCE(pg_catalog.min(b.ts), 'infinity'), 'UTC')
                         FROM pgmend.sample_minute AS b)) AS r
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(r.series), pg_catalog.unnest(r.mean),
                               pg_catalog.unnest(r.least), pg_catalog.unnest(r.most),
                               pg_catalog.unnest(r.ticks)) AS u (series, mean, least, most, ticks)
  LEFT JOIN pgmend.monitored_server AS m ON m.id = r.server
  LEFT JOIN pgmend.series AS s ON s.id = u.series
