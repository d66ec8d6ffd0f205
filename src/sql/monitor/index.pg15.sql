-- Before 16 the server does not know when an index was used last.
WITH biggest AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relnamespace, c.relpages, c.relam
      FROM pg_catalog.pg_class AS c
     WHERE c.relkind = 'i'
       AND c.relpersistence <> 't'
       AND c.relnamespace <> ALL (ARRAY['pg_catalog'::regnamespace, 'pg_toast'::regnamespace,
                                        'information_schema'::regnamespace]::oid[])
     ORDER BY c.relpages DESC, c.oid
     LIMIT $1::int4
)
SELECT pg_catalog.current_database()::text, n.nspname::text, t.relname::text, b.relname::text, b.oid,
       m.amname::text, i.indisunique, i.indisprimary,
       EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = b.oid
                  AND d.objsubid = 0 AND d.refclassid = 'pg_catalog.pg_constraint'::regclass
                  AND d.deptype = 'i'),
       i.indisvalid AND i.indisready AND i.indislive,
       pg_catalog.pg_stat_get_numscans(b.oid),
       pg_catalog.pg_stat_get_tuples_returned(b.oid),
       pg_catalog.pg_stat_get_tuples_fetched(b.oid),
       pg_catalog.pg_stat_get_blocks_fetched(b.oid) - pg_catalog.pg_stat_get_blocks_hit(b.oid),
       pg_catalog.pg_stat_get_blocks_hit(b.oid),
       b.relpages::int8 * z.size,
       'NaN'::float8
  FROM biggest AS b
  JOIN pg_catalog.pg_index AS i ON i.indexrelid = b.oid
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = b.relnamespace
  JOIN pg_catalog.pg_am AS m ON m.oid = b.relam
 CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::int8 AS size) AS z
 ORDER BY b.relpages DESC, b.oid;
