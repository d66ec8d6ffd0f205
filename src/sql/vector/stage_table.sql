-- How large a table is, and the options that decide how its rows are stored.
-- @arg table_oid oid
-- @column bytes        int8   with TOAST, without indexes
-- @column heap_bytes   int8
-- @column toast_bytes  int8
-- @column options      text?  "fillfactor=90, toast_tuple_target=4096"
-- @server 14+
SELECT pg_catalog.pg_table_size(c.oid),
       pg_catalog.pg_relation_size(c.oid),
       COALESCE(pg_catalog.pg_relation_size(NULLIF(c.reltoastrelid, 0)), 0),
       (SELECT pg_catalog.string_agg(o.o, ', ' ORDER BY o.o)
          FROM pg_catalog.unnest(c.reloptions) AS o (o)
         WHERE o.o LIKE 'fillfactor=%' OR o.o LIKE 'toast_tuple_target=%')
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = $1::oid
