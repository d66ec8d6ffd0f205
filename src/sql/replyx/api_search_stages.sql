-- Of the five times as many nearest chunks the best by 0.6 similarity + 0.3 importance/10 + 0.1 document type.
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
WITH measured AS MATERIALIZED (
    SELECT k.id, k.chunk_text, k.doc_type, k.importance,
           k.embedding OPERATOR(public.<=>) $3::public.vector AS distance
      FROM public.knowledge_embeddings AS k
     WHERE k.user_id = $1
       AND k.assistant_id = $2
), nearest AS (
    SELECT m.*,
           0.6 * (1 - NULLIF(m.distance, 'NaN')) + 0.3 * m.importance::pg_catalog.float8 / 10
           + CASE WHEN m.doc_type IS NULL THEN 0 ELSE 0.1 END AS score
      FROM measured AS m
     ORDER BY m.distance, m.id
     LIMIT 5 * $4::pg_catalog.int4::pg_catalog.int8
)
SELECT n.chunk_text,
       n.distance::pg_catalog.text AS distance,
       n.importance,
       n.doc_type::pg_catalog.text AS doc_type,
       n.score::pg_catalog.text AS score
  FROM nearest AS n
 ORDER BY n.score DESC NULLS LAST, n.distance, n.id
 LIMIT $4::pg_catalog.int4
