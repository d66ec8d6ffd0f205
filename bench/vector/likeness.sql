-- How like real embeddings vectors are: cosines of pairs, and how many of the true ten nearest are among
-- the nearest by their sign bits. Usage, for 62 chunks of assistant 1 of the generated table:
--   psql -v table=knowledge_embeddings -v column=embedding -v dims=1536 -v which='assistant_id = 1' \
--       -v count=62 -f bench/vector/likeness.sql
CREATE TEMP TABLE one AS
SELECT row_number() OVER () AS n, x.e, binary_quantize(x.e)::bit(:dims) AS b
  FROM (SELECT :"column" AS e FROM :"table" WHERE :which ORDER BY md5(:"column"::text) LIMIT :count) AS x;

SELECT 'cosine of pairs, quantiles 1/10/50/90/99 %' AS what,
       percentile_cont(ARRAY[.01, .1, .5, .9, .99]) WITHIN GROUP (ORDER BY 1 - (x.e <=> y.e)) AS value
  FROM one AS x, one AS y
 WHERE x.n < y.n;

WITH ranks AS (
    SELECT rank() OVER (PARTITION BY x.n ORDER BY x.e <=> y.e) AS by_cosine,
           rank() OVER (PARTITION BY x.n ORDER BY bit_count(x.b # y.b)) AS by_bits
      FROM one AS x, one AS y
     WHERE x.n <> y.n)
SELECT 'true ten among the nearest ' || k.k || ' by sign bits' AS what, round(avg((by_bits <= k.k)::int), 3) AS value
  FROM ranks, (VALUES (10), (15), (20), (30)) AS k(k)
 WHERE by_cosine <= 10
 GROUP BY k.k
 ORDER BY k.k;
