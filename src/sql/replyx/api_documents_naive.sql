-- What an assistant knows, by document. Knowing nothing: one row of id 0; without the assistant: none.
-- @arg    user_id       int4
-- @arg    assistant_id  int4
-- @column doc_id        int4
-- @server 14+
SELECT COALESCE(k.doc_id, 0)
  FROM public.assistants AS a
  LEFT JOIN public.user_knowledge AS k ON k.assistant_id = a.id AND k.user_id = $1
 WHERE a.id = $2
   AND a.user_id = $1
 ORDER BY k.id
