-- What a plan for a vector column rests its estimates on, and whether its functions may be made.
-- @arg table_oid oid
-- @arg schema text where the functions go
-- @arg text_name text? the text of a chunk
-- @column heap_bytes int8
-- @column rows int8 estimate, -1 when never analysed
-- @column visible_ratio float8 share of the pages that an index-only scan need not look at
-- @column triggers text? that run for each row that is updated, apart from ours
-- @column text_bytes int8 a value of the text on average
-- @column indexes int8 that each new version of a row is entered into
-- @column has_schema bool
-- @column may_create bool the role may create functions there
-- @server 14+
SELECT pg_catalog.pg_relation_size(c.oid),
       c.reltuples::int8,
       CASE WHEN c.relpages > 0 THEN c.relallvisible::float8 / c.relpages ELSE 0 END,
       (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(t.tgname), ', ' ORDER BY t.tgname)
          FROM pg_catalog.pg_trigger AS t
         WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
           -- FOR EACH ROW, UPDATE, and not only of columns that filling leaves alone.
           AND t.tgtype & 1 <> 0 AND t.tgtype & 16 <> 0 AND t.tgattr = ''::pg_catalog.int2vector
           AND t.tgname !~ '_fill$'),
       COALESCE((SELECT s.avg_width::int8
                   FROM pg_catalog.pg_stats AS s
                   JOIN pg_catalog.pg_namespace AS o ON o.nspname = s.schemaname
                  WHERE o.oid = c.relnamespace AND s.tablename = c.relname AND s.attname = $3
                    AND NOT s.inherited), 500),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid),
       n.oid IS NOT NULL,
       COALESCE(pg_catalog.has_schema_privilege(n.oid, 'CREATE'), false)
  FROM pg_catalog.pg_class AS c
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = $2
 WHERE c.oid = $1;
