-- The id of a server, which is made where it is missing.
-- @arg name text
-- @column id int4
-- @server 14+
WITH known AS MATERIALIZED (
    SELECT s.id FROM pgmend.monitored_server AS s WHERE s.name = $1
), added AS (
    INSERT INTO pgmend.monitored_server (name)
    SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM known)
        ON CONFLICT (name) DO UPDATE SET name = excluded.name
    RETURNING id
), begun AS (
    INSERT INTO pgmend.store_progress (server, kind, done_until)
    SELECT a.id, k.kind, '-infinity'
      FROM added AS a
     CROSS JOIN pg_catalog.unnest(ARRAY['sample_minute', 'sample_hour', 'statement_minute',
                                        'statement_hour']) AS k (kind)
        ON CONFLICT DO NOTHING
)
SELECT k.id::int4 FROM known AS k
 UNION ALL
SELECT a.id::int4 FROM added AS a
