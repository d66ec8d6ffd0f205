-- Search of chunks. Full-text operators and distances are not leakproof, so under row-level security they would be
-- applied to rows one by one, after the policy and without an index. The functions here run with their owner's rights
-- instead, who is not bound by it, and say themselves whose rows they give: the assistant's, if it is the user's who
-- is signed in, and of its chunks his own. The searching is done by the functions of "pgmend vector install".

CREATE OR REPLACE FUNCTION replyx_api.search_chunks(
    owner pg_catalog.int4, assistant pg_catalog.int4, question public.vector, words pg_catalog.text,
    most pg_catalog.int4, mode pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
-- NULL: the assistant is not there or not the owner's. The answer of POST /assistants/{id}/search.
<<own>>
DECLARE
    answer text;
BEGIN
    IF search_chunks.owner IS DISTINCT FROM replyx_api.current_user_id() THEN
        RAISE EXCEPTION 'the chunks of a user are for himself' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (SELECT FROM public.assistants AS a
                    WHERE a.id = search_chunks.assistant AND a.user_id = search_chunks.owner) THEN
        RETURN NULL;
    END IF;
    IF to_regprocedure('public.search_embeddings_basic(integer, public.vector, integer, double precision)') IS NULL THEN
        RAISE EXCEPTION 'the search functions are not installed'
              USING ERRCODE = 'feature_not_supported', HINT = 'Run pgmend vector install, as the owner of the tables.';
    END IF;
    PERFORM public.set_vector_search_params(
        CASE WHEN search_chunks.mode IN ('fast', 'accurate') THEN search_chunks.mode ELSE 'balanced' END, true);
    -- Chunks of the same distance come in no particular order from the functions, so some more are asked for and those
    -- of the lowest id are taken.
    IF search_chunks.question IS NULL OR search_chunks.mode = 'hybrid' THEN
        SELECT string_agg(row_to_json(r)::text, ',' ORDER BY f.place) INTO own.answer
          FROM public.search_embeddings_hybrid(search_chunks.assistant, search_chunks.question, search_chunks.words,
                                               search_chunks.most, NULL)
               WITH ORDINALITY AS f (id, chunk_text, doc_type, importance, distance, score, place)
          JOIN public.knowledge_embeddings AS k ON k.id = f.id AND k.user_id = search_chunks.owner
         CROSS JOIN LATERAL (SELECT f.chunk_text, f.distance, f.importance, f.doc_type, f.score) AS r;
    ELSIF search_chunks.mode = 'multi_stage' THEN
        SELECT string_agg(row_to_json(r)::text, ',' ORDER BY f.place) INTO own.answer
          FROM public.search_embeddings_multi_stage(search_chunks.assistant, search_chunks.question,
                                                    search_chunks.most)
               WITH ORDINALITY AS f (id, chunk_text, doc_type, importance, distance, score, place)
          JOIN public.knowledge_embeddings AS k ON k.id = f.id AND k.user_id = search_chunks.owner
         CROSS JOIN LATERAL (SELECT f.chunk_text, f.distance, f.importance, f.doc_type, f.score) AS r;
    ELSE
        SELECT string_agg(row_to_json(r)::text, ',' ORDER BY f.distance, f.id) INTO own.answer
          FROM (SELECT s.*
                  FROM public.search_embeddings_basic(search_chunks.assistant, search_chunks.question,
                                                      search_chunks.most + 20) AS s
                  JOIN public.knowledge_embeddings AS k ON k.id = s.id AND k.user_id = search_chunks.owner
                 ORDER BY s.distance, s.id
                 LIMIT search_chunks.most) AS f
         CROSS JOIN LATERAL (SELECT f.chunk_text, f.distance, f.importance, f.doc_type, f.score) AS r;
    END IF;
    RETURN concat('[', own.answer, ']');
END
$function$;

-- The vector of a question, by the digest of model and text. Who asked it is not told, nor what else was asked.
CREATE OR REPLACE FUNCTION replyx_api.cached_embedding(hash pg_catalog.text)
RETURNS public.vector
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT c.embedding FROM public.query_embeddings_cache AS c WHERE c.query_hash = cached_embedding.hash;
$function$;

-- Counted without waiting for others who count the same question: then it counts as theirs.
CREATE OR REPLACE FUNCTION replyx_api.use_embedding(hash pg_catalog.text)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
    UPDATE public.query_embeddings_cache AS c
       SET usage_count = c.usage_count + 1, last_used = now() AT TIME ZONE 'UTC'
     WHERE c.id = (SELECT f.id FROM public.query_embeddings_cache AS f
                    WHERE f.query_hash = use_embedding.hash
                      FOR NO KEY UPDATE SKIP LOCKED);
$function$;

CREATE OR REPLACE FUNCTION replyx_api.keep_embedding(
    hash pg_catalog.text, question pg_catalog.text, embedding public.vector)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO public.query_embeddings_cache (query_hash, query_text, embedding, created_at, last_used)
    VALUES (keep_embedding.hash, keep_embedding.question, keep_embedding.embedding,
            now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
    ON CONFLICT (query_hash) DO NOTHING;
$function$;

REVOKE ALL ON FUNCTION replyx_api.search_chunks(integer, integer, public.vector, text, integer, text),
    replyx_api.cached_embedding(text), replyx_api.use_embedding(text),
    replyx_api.keep_embedding(text, text, public.vector) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replyx_api.search_chunks(integer, integer, public.vector, text, integer, text),
    replyx_api.cached_embedding(text), replyx_api.use_embedding(text),
    replyx_api.keep_embedding(text, text, public.vector) TO replyx_api;
