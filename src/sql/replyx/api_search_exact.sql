-- The chunks of an assistant that are nearest to a question, by the distance of each of them.
-- @arg user_id int4
-- @arg assistant_id int4
-- @arg question text
-- @arg most int4
-- @column chunk_text text
-- @column distance text
-- @column importance int4
-- @column doc_type text?
-- @column score text? NULL: there is no angle to a vector of length zero
-- @server 14+
SELECT f.chunk_text,
       f.distance::pg_catalog.text AS distance,
       f.importance,
       f.doc_type::pg_catalog.text AS doc_type,
       (1 - NULLIF(f.distance, 'NaN'))::pg_catalog.text AS score
  FROM (SELECT k.id, k.chunk_text, k.doc_type, k.importance,
               k.embedding OPERATOR(public.<=>) $3::public.vector AS distance
          FROM public.knowledge_embeddings AS k
         WHERE k.user_id = $1
           AND k.assistant_id = $2
        OFFSET 0) AS f
 ORDER BY f.distance, f.id
 LIMIT $4::pg_catalog.int4
