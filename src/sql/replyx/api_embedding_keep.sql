-- Keeps the vector of a question for the next time.
-- @arg hash text
-- @arg text text
-- @arg embedding text
-- @server 14+
SELECT FROM replyx_api.keep_embedding($1, $2, $3::public.vector)
