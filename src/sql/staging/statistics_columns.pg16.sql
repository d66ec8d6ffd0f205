-- What ANALYZE found in the columns of some relations, and in the expressions of some indexes, as a JSON array of objects.
-- Before 17 the view does not show what is known of ranges.
SELECT coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(f)), '[]')::text AS rows
  FROM (
    SELECT s.schemaname::text AS schema, s.tablename::text AS relation, s.attname::text AS "column",
           s.inherited, s.null_frac, s.avg_width, s.n_distinct,
           s.most_common_vals::text AS common, s.most_common_freqs AS common_shares,
           s.histogram_bounds::text AS bounds, s.correlation,
           s.most_common_elems::text AS elements, s.most_common_elem_freqs AS element_shares,
           s.elem_count_histogram AS counts,
           NULL::text AS range_lengths, NULL::pg_catalog.float4 AS range_empty,
           NULL::text AS range_bounds
      FROM pg_catalog.pg_stats s
     WHERE s.tablename = ANY (ARRAY(SELECT pg_catalog.json_array_elements_text($1))::pg_catalog.name[])
       AND s.schemaname NOT IN ('pg_catalog', 'information_schema', 'pgmend')
  ) f
