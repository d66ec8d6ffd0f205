-- Counts another use of a question's vector.
-- @arg hash text
-- @server 14+
SELECT FROM replyx_api.use_embedding($1)
