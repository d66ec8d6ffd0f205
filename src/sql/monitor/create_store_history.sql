-- Statements over time: each reading, and where those are gone minutes, and then hours.
-- @server 14+
CREATE OR REPLACE VIEW pgmend.statement_history AS
SELECT r.ts, m.name AS server, s.query_id AS queryid, s.user_id AS userid, s.database_id AS dbid,
       t.query, v.calls, v.ms / NULLIF(v.calls, 0) AS duration, v.ms AS total_ms,
       v.row_count AS rows, v.blocks_hit, v.blocks_read,
       pg_catalog.make_interval(secs => r.span) AS span
  FROM (SELECT a.server, a.ts, a.span, a.step, a.calls, a.ms, a.row_count, a.blocks_hit, a.blocks_read
          FROM pgmend.statement_sample AS a
         UNION ALL
        SELECT b.server, b.ts, b.span, b.step, b.calls, b.ms, b.row_count, b.blocks_hit, b.blocks_read
          FROM pgmend.statement_minute AS b
         WHERE b.ts < (SELECT pg_catalog.date_trunc('minute', COALESCE(pg_catalog.min(a.ts), 'infinity'), 'UTC')
                         FROM pgmend.statement_sample AS a)
         UNION ALL
        SELECT c.server, c.ts, c.span, c.step, c.calls, c.ms, c.row_count, c.blocks_hit, c.blocks_read
          FROM pgmend.statement_hour AS c
         WHERE c.ts < (SELECT pg_catalog.date_trunc('hour', COALESCE(pg_catalog.min(b.ts), 'infinity'), 'UTC')
                         FROM pgmend.statement_minute AS b)) AS r
 CROSS JOIN LATERAL (
       SELECT (pg_catalog.sum(u.step) OVER (ORDER BY u.n))::integer AS id, u.calls,
              u.ms::double precision AS ms, u.row_count::double precision AS row_count,
              u.blocks_hit::double precision AS blocks_hit,
              u.blocks_read::double precision AS blocks_read
         FROM ROWS FROM (pg_catalog.unnest(r.step), pg_catalog.unnest(r.calls),
                         pg_catalog.unnest(r.ms), pg_catalog.unnest(r.row_count),
                         pg_catalog.unnest(r.blocks_hit), pg_catalog.unnest(r.blocks_read))
              WITH ORDINALITY AS u (step, calls, ms, row_count, blocks_hit, blocks_read, n)) AS v
  LEFT JOIN pgmend.monitored_server AS m ON m.id = r.server
  LEFT JOIN pgmend.statement AS s ON s.id = v.id
  LEFT JOIN pgmend.statement_text AS t ON t.server = r.server AND t.query_id = s.query_id
