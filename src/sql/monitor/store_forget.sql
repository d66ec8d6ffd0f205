-- Forgets series, statements and texts that nothing refers to any more.
-- @arg keep_hours_us int8
-- @column gone int8
-- @server 14+
WITH old AS (
    SELECT (pg_catalog.now() - $1::int8 * '1 microsecond'::interval - '32 days'::interval)::date AS day
), a AS (
    DELETE FROM pgmend.series AS s USING old WHERE s.seen < old.day RETURNING 1
), b AS (
    DELETE FROM pgmend.statement AS s USING old WHERE s.seen < old.day RETURNING 1
), c AS (
    DELETE FROM pgmend.statement_text AS s USING old WHERE s.seen < old.day RETURNING 1
), d AS (
    DELETE FROM pgmend.relation AS s USING old WHERE s.seen < old.day RETURNING 1
)
SELECT (SELECT pg_catalog.count(*) FROM a) + (SELECT pg_catalog.count(*) FROM b)
       + (SELECT pg_catalog.count(*) FROM c) + (SELECT pg_catalog.count(*) FROM d)
