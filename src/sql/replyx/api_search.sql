-- Chunks near a question, as the answer of POST /assistants/{id}/search.
-- @arg user_id int4
-- @arg assistant_id int4
-- @arg question text? its vector; NULL: by its words alone
-- @arg words text? NULL: by its vector alone
-- @arg most int4
-- @arg mode text
-- @column answer text? NULL: the assistant is not there
-- @server 14+
SELECT replyx_api.search_chunks($1, $2, $3::public.vector, $4, $5, $6) AS answer
