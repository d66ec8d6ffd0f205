-- POST /assistants/{id}/search: the assistant's 20 most important chunks, for the context (-D assistants=N)
\set assistant random_zipfian(1, :assistants, 1.1)
SELECT id, doc_id, chunk_text, doc_type, importance
  FROM knowledge_embeddings
 WHERE assistant_id = :assistant
 ORDER BY importance DESC, created_at DESC
 LIMIT 20;
