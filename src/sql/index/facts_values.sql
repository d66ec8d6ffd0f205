-- Common values and histograms of the columns of some tables; of wide columns the first values only.
-- @arg tables text OIDs as an array literal
-- @column table_oid oid
-- @column number int4
-- @column common text? as text[]
-- @column shares text? as float4[]
-- @column bounds text? as text[]
-- @column elements int4 how many of the elements of arrays, or words, have a share
-- @column element_shares text? as float4[]; behind them the least, the greatest and that of NULL
-- @column elements_a_row float8 distinct ones; NaN: not known
-- @server 14+
SELECT c.oid, a.attnum::int4,
       CASE WHEN s.avg_width > 256 THEN (s.most_common_vals::text::text[])[1:4]
            ELSE (s.most_common_vals::text::text[])[1:200] END::text,
       CASE WHEN s.avg_width > 256 THEN s.most_common_freqs[1:4] ELSE s.most_common_freqs[1:200] END::text,
       CASE WHEN s.avg_width > 256 THEN (s.histogram_bounds::text::text[])[1:4]
            ELSE s.histogram_bounds::text::text[] END::text,
       COALESCE(pg_catalog.array_length(s.most_common_elems::text::text[], 1), 0),
       s.most_common_elem_freqs::text,
       COALESCE(s.elem_count_histogram[pg_catalog.array_upper(s.elem_count_histogram, 1)], 'NaN')::float8
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
       SELECT v.*
         FROM pg_catalog.pg_stats AS v
        WHERE v.schemaname = n.nspname AND v.tablename = c.relname AND v.inherited = (c.relkind = 'p')
       OFFSET 0) AS s
  JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = s.attname
 WHERE c.oid = ANY ($1::oid[])
   AND (s.most_common_vals IS NOT NULL OR s.histogram_bounds IS NOT NULL
        OR s.most_common_elems IS NOT NULL)
 ORDER BY c.oid, a.attnum;
