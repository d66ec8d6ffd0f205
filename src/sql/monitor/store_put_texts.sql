-- Stores texts of statements that have none yet.
-- @arg server int4
-- @arg query_ids int8[]
-- @arg texts text[]
-- @server 14+
INSERT INTO pgmend.statement_text AS t (server, query_id, query, seen)
SELECT DISTINCT ON (u.query_id) $1::int4::int2, u.query_id, u.query, CURRENT_DATE
  FROM ROWS FROM (pg_catalog.unnest($2::int8[]), pg_catalog.unnest($3::text[])) AS u (query_id, query)
 ORDER BY u.query_id
    ON CONFLICT (server, query_id) DO UPDATE SET seen = excluded.seen WHERE t.seen < excluded.seen
