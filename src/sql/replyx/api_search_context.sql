-- The most important chunks of an assistant, which the slow form reads before it searches.
-- @arg user_id int4
-- @arg assistant_id int4
-- @column id int4
-- @column chunk_text text
-- @server 14+
SELECT k.id, k.chunk_text
  FROM public.knowledge_embeddings AS k
 WHERE k.user_id = $1
   AND k.assistant_id = $2
 ORDER BY k.importance DESC, k.created_at DESC, k.id DESC
 LIMIT 20
