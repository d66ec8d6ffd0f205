-- Documents that an assistant knows as the answer's JSON; no row when the assistant is not this user's.
-- EXISTS, and not a join, gives a document once however often it is known.
-- @arg    user_id       int4
-- @arg    assistant_id  int4
-- @column body          text
-- @server 14+
SELECT pg_catalog.concat('[', (
           SELECT pg_catalog.string_agg(pg_catalog.row_to_json(r)::text, ','
                                        ORDER BY r.upload_date DESC, r.id DESC)
             FROM (SELECT d.id, d.filename, d.size, d.upload_date, d.doc_hash
                     FROM public.documents AS d
                    WHERE d.user_id = $1
                      AND EXISTS (SELECT 1
                                    FROM public.user_knowledge AS k
                                   WHERE k.doc_id = d.id
                                     AND k.user_id = $1
                                     AND k.assistant_id = $2)) AS r), ']')
  FROM public.assistants AS a
 WHERE a.id = $2
   AND a.user_id = $1
