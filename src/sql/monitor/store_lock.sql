-- Lets one monitor at a time make the tables of the store; held until the end of the transaction.
-- @column lock text
-- @server 14+
SELECT pg_catalog.pg_advisory_xact_lock(8074917526412301)::text
