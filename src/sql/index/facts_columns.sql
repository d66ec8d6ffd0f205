-- The columns of those tables with the numbers of their statistics, table by table.
-- @arg schemas text[] empty: all but the system's and pgmend
-- @column table_oid oid
-- @column name text
-- @column type text
-- @column base_type text
-- @column category text
-- @column number int4
-- @column type_length int4 -1: it varies
-- @column type_align text
-- @column is_not_null bool
-- @column has_statistics bool
-- @column has_btree bool
-- @column has_c_collation bool
-- @column null_share float8
-- @column distinct_values float8 as pg_stats has it: negative is a share of the rows
-- @column width float8 bytes on average; without statistics what the planner guesses by the type
-- @column correlation float8
-- @server 14+
WITH RECURSIVE wanted AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.relkind
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm', 'p', 'f') AND c.relpersistence <> 't'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend') AND n.nspname !~ '^pg_(toast|temp_)'
       AND ($1::text[] = '{}' OR n.nspname = ANY ($1::text[]))
), level AS (
    SELECT t.oid, t.oid AS base FROM pg_catalog.pg_type AS t
    UNION ALL
    SELECT l.oid, t.typbasetype FROM level AS l
      JOIN pg_catalog.pg_type AS t ON t.oid = l.base AND t.typtype = 'd'
), based AS MATERIALIZED (
    SELECT l.oid, t.typname, t.typcategory, t.typlen, t.typalign,
           EXISTS (SELECT FROM pg_catalog.pg_opclass AS o
                     JOIN pg_catalog.pg_am AS m ON m.oid = o.opcmethod AND m.amname = 'btree'
                    WHERE o.opcdefault
                      AND (o.opcintype = t.oid
                           OR EXISTS (SELECT FROM pg_catalog.pg_cast AS k
                                       WHERE k.castsource = t.oid AND k.casttarget = o.opcintype
                                         AND k.castmethod = 'b' AND k.castcontext = 'i')
                           OR o.opcintype = 'pg_catalog.anyarray'::pg_catalog.regtype AND t.typcategory = 'A'
                           OR o.opcintype = 'pg_catalog.anyenum'::pg_catalog.regtype AND t.typtype = 'e'
                           OR o.opcintype = 'pg_catalog.anyrange'::pg_catalog.regtype AND t.typtype = 'r'
                           OR o.opcintype = 'pg_catalog.anymultirange'::pg_catalog.regtype
                              AND t.typtype = 'm')) AS has_btree
      FROM level AS l
      JOIN pg_catalog.pg_type AS t ON t.oid = l.base AND t.typtype <> 'd'
     WHERE l.oid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
                      WHERE a.attrelid IN (SELECT w.oid FROM wanted AS w))
), standard AS MATERIALIZED (
    SELECT COALESCE(x.row ->> 'datlocprovider', 'c') = 'b'
           OR COALESCE(x.row ->> 'datlocprovider', 'c') = 'c' AND x.row ->> 'datcollate' IN ('C', 'POSIX') AS is_c
      FROM (SELECT pg_catalog.to_jsonb(d) FROM pg_catalog.pg_database AS d
             WHERE d.datname = pg_catalog.current_database()) AS x (row)
), plain AS MATERIALIZED (
    SELECT o.oid, o.collprovider = 'b' OR o.collprovider = 'c' AND o.collcollate IN ('C', 'POSIX')
                  OR o.collprovider = 'd' AND (SELECT s.is_c FROM standard AS s) AS is_c
      FROM pg_catalog.pg_collation AS o
), numbers AS MATERIALIZED (
    -- Table by table: the view as a whole is read by no index.
    SELECT w.oid, x.*
      FROM wanted AS w
     CROSS JOIN LATERAL (
           SELECT s.attname, s.null_frac, s.n_distinct, s.avg_width, s.correlation
             FROM pg_catalog.pg_stats AS s
            WHERE s.schemaname = w.nspname AND s.tablename = w.relname
              AND s.inherited = (w.relkind = 'p')
           OFFSET 0) AS x
)
SELECT w.oid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), b.typname, b.typcategory::text,
       a.attnum::int4, b.typlen::int4, b.typalign::text, a.attnotnull, s.attname IS NOT NULL, b.has_btree,
       COALESCE(o.is_c, false), COALESCE(s.null_frac, 0)::float8, COALESCE(s.n_distinct, 0)::float8,
       COALESCE(s.avg_width,
                CASE WHEN b.typlen > 0 THEN b.typlen
                     WHEN a.atttypmod < 4 OR b.typname NOT IN ('bpchar', 'varchar') THEN 32
                     WHEN b.typname = 'bpchar' OR g.most <= 32 THEN g.most
                     ELSE 32 + (LEAST(g.most, 1000) - 32) / 2 END)::float8,
       COALESCE(s.correlation, 'NaN')::float8
  FROM wanted AS w
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN based AS b ON b.oid = a.atttypid
  LEFT JOIN plain AS o ON o.oid = a.attcollation
  LEFT JOIN numbers AS s ON s.oid = w.oid AND s.attname = a.attname
 CROSS JOIN LATERAL (
       SELECT (a.atttypmod - 4) * pg_catalog.pg_encoding_max_length(d.encoding) + 4 AS most
         FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()) AS g
 ORDER BY w.oid, a.attnum;
