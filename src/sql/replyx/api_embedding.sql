-- The vector of a question that was asked before.
-- @arg hash text
-- @column embedding text? NULL: it was not
-- @server 14+
SELECT replyx_api.cached_embedding($1)::pg_catalog.text AS embedding
