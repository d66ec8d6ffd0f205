-- Tables and indexes over time: bytes; scans of the whole table, or of the index; rows that were
-- written; dead rows. Counters as the server has them, which a reset of its statistics sets back.
-- @server 14+
CREATE OR REPLACE VIEW pgmend.relation_history AS
SELECT r.ts, m.name AS server, r.kind, n.datname, n.schemaname, n.relname, v.bytes, v.scans,
       v.changes, v.dead
  FROM pgmend.relation_sample AS r
 CROSS JOIN LATERAL (
       SELECT (pg_catalog.sum(u.step) OVER (ORDER BY u.n))::integer AS id, u.bytes, u.scans,
              u.changes, u.dead
         FROM ROWS FROM (pg_catalog.unnest(r.step), pg_catalog.unnest(r.bytes),
                         pg_catalog.unnest(r.scans), pg_catalog.unnest(r.changes),
                         pg_catalog.unnest(r.dead))
              WITH ORDINALITY AS u (step, bytes, scans, changes, dead, n)) AS v
  LEFT JOIN pgmend.monitored_server AS m ON m.id = r.server
  LEFT JOIN pgmend.relation AS n ON n.id = v.id
