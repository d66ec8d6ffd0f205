-- The chunks with any word of a question, and those that are nearest to its vector, ranked together.
--
-- Reciprocal rank fusion; source: Cormack, Clarke and Büttcher 2009.
--
-- @arg user_id int4
-- @arg assistant_id int4
-- @arg question text? NULL: by its words alone
-- @arg words text
-- @arg most int4
-- @column chunk_text text
-- @column distance text? NULL: there is no vector
-- @column importance int4
-- @column doc_type text?
-- @column score text
-- @server 14+
WITH asked AS (
    SELECT (SELECT pg_catalog.string_agg(
                       '''' || pg_catalog.replace(pg_catalog.replace(
                           l.lexeme, pg_catalog.chr(92), pg_catalog.repeat(pg_catalog.chr(92), 2)), '''', '''''')
                       || '''', ' | ')::pg_catalog.tsquery
              FROM pg_catalog.unnest(pg_catalog.to_tsvector('pg_catalog.russian', $4)) AS l) AS words
), measured AS MATERIALIZED (
    SELECT k.id, k.chunk_text, k.doc_type, k.importance,
           k.embedding OPERATOR(public.<=>) $3::public.vector AS distance,
           pg_catalog.to_tsvector('pg_catalog.russian', pg_catalog.left(k.chunk_text, 200000)) AS found
      FROM public.knowledge_embeddings AS k
     WHERE k.user_id = $1
       AND k.assistant_id = $2
), near AS (
    SELECT m.id, pg_catalog.row_number() OVER (ORDER BY m.distance, m.id) AS place
      FROM measured AS m
     WHERE m.distance <> 'NaN'
     ORDER BY m.distance, m.id
     LIMIT GREATEST(50, $5)
), ranked AS (
    SELECT m.id, pg_catalog.ts_rank(m.found, a.words, 1) AS rank
      FROM measured AS m, asked AS a
     WHERE m.found OPERATOR(pg_catalog.@@) a.words
), said AS (
    SELECT r.id, pg_catalog.row_number() OVER (ORDER BY r.rank DESC, r.id) AS place
      FROM ranked AS r
     ORDER BY r.rank DESC, r.id
     LIMIT GREATEST(50, $5)
)
SELECT m.chunk_text,
       m.distance::pg_catalog.text AS distance,
       m.importance,
       m.doc_type::pg_catalog.text AS doc_type,
       b.score::pg_catalog.text AS score
  FROM (SELECT coalesce(n.id, s.id) AS id,
               coalesce(1 / (60 + n.place)::pg_catalog.float8, 0)
               + coalesce(1 / (60 + s.place)::pg_catalog.float8, 0) AS score
          FROM near AS n
          FULL JOIN said AS s ON s.id = n.id) AS b
  JOIN measured AS m ON m.id = b.id
 ORDER BY b.score DESC, m.distance, m.id
 LIMIT $5
