-- Transactions that were prepared for a two-phase commit and wait for their end.
-- @column gid text
-- @column owner text
-- @column database text
-- @column seconds float8 since then
-- @server 14+
SELECT pg_catalog.left(p.gid, 80), p.owner, p.database,
       EXTRACT(epoch FROM pg_catalog.now() - p.prepared)::pg_catalog.float8
  FROM pg_catalog.pg_prepared_xacts AS p
 ORDER BY p.prepared;
