-- Writes such rows into pg_statistic, as ANALYZE would have, for the columns of the same names; only on a server of our own.
-- Values are read as the base type of a domain, because reading a domain runs its checks. A type's operators are
-- those of its default B-tree operator class, found as the server's type cache finds them. What cannot be
-- read without running code (composite types) goes without values.
-- @arg rows  json  an array as statistics_columns.sql gives it
-- @arg first int8  of the array's rows, from 1
-- @arg count int8
-- @server 14+
WITH RECURSIVE given AS MATERIALIZED (
    SELECT g.*
      FROM pg_catalog.json_array_elements($1) WITH ORDINALITY e (item, number)
     CROSS JOIN LATERAL pg_catalog.json_to_record(e.item) AS g (
               schema text, relation text, "column" text, inherited bool, null_frac float4, avg_width int4,
               n_distinct float4, common text, common_shares float4[], bounds text, correlation float4,
               elements text, element_shares float4[], counts float4[], range_lengths text, range_empty float4,
               range_bounds text)
     WHERE e.number BETWEEN $2 AND $2 + $3 - 1
), found AS MATERIALIZED (
    SELECT g.*, c.oid AS relid, a.attnum, a.attcollation,
           /* An index may store something else than it was given (a GIN index stores keys): the class knows. */
           CASE WHEN k.opckeytype <> 0 AND y.typtype <> 'p' THEN k.opcintype ELSE a.atttypid END AS type
      FROM given g
      JOIN pg_catalog.pg_namespace n ON n.nspname = g.schema
      JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = g.relation
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = g."column" AND NOT a.attisdropped
      LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid AND a.attnum <= i.indnkeyatts
      LEFT JOIN pg_catalog.pg_opclass k ON k.oid = i.indclass[a.attnum - 1]
      LEFT JOIN pg_catalog.pg_type y ON y.oid = k.opcintype
), base (type, base) AS (
    SELECT DISTINCT f.type, f.type FROM found f
     UNION
    SELECT b.type, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.base WHERE t.typtype = 'd'
), types AS MATERIALIZED (
    SELECT b.type, t.oid AS base, t.typtype,
           CASE WHEN t.typlen = -1 AND t.typelem <> 0 AND e.typarray = t.oid THEN t.typelem
                WHEN t.oid = 'pg_catalog.tsvector'::pg_catalog.regtype THEN 'pg_catalog.text'::pg_catalog.regtype
           END AS element
      FROM base b
      JOIN pg_catalog.pg_type t ON t.oid = b.base AND t.typtype <> 'd'
      LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
), sorted AS MATERIALIZED (
    SELECT w.type, o.opcfamily, o.opcintype
      FROM (SELECT t.base AS type FROM types t UNION SELECT t.element FROM types t WHERE t.element IS NOT NULL) w
      JOIN pg_catalog.pg_type t ON t.oid = w.type
     CROSS JOIN LATERAL (
               SELECT o.opcfamily, o.opcintype
                 FROM pg_catalog.pg_opclass o
                WHERE o.opcdefault
                  AND o.opcmethod = (SELECT m.oid FROM pg_catalog.pg_am m WHERE m.amname = 'btree')
                  AND (o.opcintype = t.oid
                       OR (t.typtype = 'e' AND o.opcintype = 'pg_catalog.anyenum'::pg_catalog.regtype)
                       OR (t.typtype = 'r' AND o.opcintype = 'pg_catalog.anyrange'::pg_catalog.regtype)
                       OR (t.typtype = 'm' AND o.opcintype = 'pg_catalog.anymultirange'::pg_catalog.regtype)
                       OR (t.typtype = 'c' AND o.opcintype = 'pg_catalog.record'::pg_catalog.regtype)
                       OR (t.typlen = -1 AND t.typelem <> 0
                           AND o.opcintype = 'pg_catalog.anyarray'::pg_catalog.regtype)
                       OR EXISTS (SELECT FROM pg_catalog.pg_cast x
                                   WHERE x.castsource = t.oid AND x.casttarget = o.opcintype
                                     AND x.castmethod = 'b' AND x.castcontext = 'i'))
                ORDER BY (o.opcintype = t.oid) DESC, o.oid
                LIMIT 1) o
), operators AS MATERIALIZED (
    SELECT s.type,
           coalesce(max(p.amopopr) FILTER (WHERE p.amopstrategy = 1), 0) AS less,
           coalesce(max(p.amopopr) FILTER (WHERE p.amopstrategy = 3), 0) AS equal
      FROM sorted s
      JOIN pg_catalog.pg_amop p ON p.amopfamily = s.opcfamily AND p.amoplefttype = s.opcintype
       AND p.amoprighttype = s.opcintype AND p.amopstrategy IN (1, 3)
     GROUP BY s.type
), put AS (
    SELECT f.*, t.base, t.typtype, t.element,
           coalesce(o.less, 0) AS less, coalesce(o.equal, 0) AS equal, coalesce(q.equal, 0) AS element_equal,
           CASE WHEN t.base = 'pg_catalog.tsvector'::pg_catalog.regtype THEN 100::pg_catalog.oid ELSE f.attcollation END
               AS element_collation,
           t.typtype NOT IN ('c', 'p') AND (t.element IS NULL OR e.typtype NOT IN ('c', 'd', 'p')) AS is_safe
      FROM found f
      JOIN types t ON t.type = f.type
      LEFT JOIN operators o ON o.type = t.base
      LEFT JOIN operators q ON q.type = t.element
      LEFT JOIN pg_catalog.pg_type e ON e.oid = t.element
)
INSERT INTO pg_catalog.pg_statistic (
       starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct,
       stakind1, stakind2, stakind3, stakind4, stakind5, staop1, staop2, staop3, staop4, staop5,
       stacoll1, stacoll2, stacoll3, stacoll4, stacoll5,
       stanumbers1, stanumbers2, stanumbers3, stanumbers4, stanumbers5,
       stavalues1, stavalues2, stavalues3, stavalues4)
SELECT p.relid, p.attnum, p.inherited, p.null_frac, p.avg_width, p.n_distinct,
       CASE WHEN p.is_safe AND p.common IS NOT NULL THEN 1 ELSE 0 END,
       CASE WHEN p.is_safe AND p.bounds IS NOT NULL THEN 2
            WHEN p.is_safe AND p.range_bounds IS NOT NULL THEN 7 ELSE 0 END,
       CASE WHEN p.correlation IS NOT NULL THEN 3
            WHEN p.range_lengths IS NOT NULL THEN 6 ELSE 0 END,
       CASE WHEN p.is_safe AND p.elements IS NOT NULL AND p.element IS NOT NULL THEN 4 ELSE 0 END,
       CASE WHEN p.counts IS NOT NULL THEN 5 ELSE 0 END,
       CASE WHEN p.is_safe AND p.common IS NOT NULL THEN p.equal ELSE 0 END,
       CASE WHEN p.is_safe AND p.bounds IS NOT NULL THEN p.less ELSE 0 END,
       CASE WHEN p.correlation IS NOT NULL THEN p.less
            WHEN p.range_lengths IS NOT NULL THEN 672 ELSE 0 END,
       CASE WHEN p.is_safe AND p.elements IS NOT NULL AND p.element IS NOT NULL THEN p.element_equal ELSE 0 END,
       CASE WHEN p.counts IS NOT NULL THEN p.element_equal ELSE 0 END,
       CASE WHEN p.is_safe AND p.common IS NOT NULL THEN p.attcollation ELSE 0 END,
       CASE WHEN p.is_safe AND p.bounds IS NOT NULL THEN p.attcollation ELSE 0 END,
       CASE WHEN p.correlation IS NOT NULL THEN p.attcollation ELSE 0 END,
       CASE WHEN p.is_safe AND p.elements IS NOT NULL THEN p.element_collation ELSE 0 END,
       CASE WHEN p.counts IS NOT NULL THEN p.element_collation ELSE 0 END,
       CASE WHEN p.is_safe AND p.common IS NOT NULL THEN p.common_shares END,
       NULL,
       CASE WHEN p.correlation IS NOT NULL THEN ARRAY[p.correlation]
            WHEN p.range_lengths IS NOT NULL THEN ARRAY[p.range_empty] END,
       CASE WHEN p.is_safe AND p.elements IS NOT NULL THEN p.element_shares END,
       p.counts,
       CASE WHEN p.is_safe AND p.common IS NOT NULL
            THEN pg_catalog.array_in(pg_catalog.textout(p.common), p.base, -1) END,
       CASE WHEN p.is_safe AND p.bounds IS NOT NULL
            THEN pg_catalog.array_in(pg_catalog.textout(p.bounds), p.base, -1)
            WHEN p.is_safe AND p.range_bounds IS NOT NULL
            THEN pg_catalog.array_in(pg_catalog.textout(p.range_bounds), p.base, -1) END,
       CASE WHEN p.correlation IS NULL AND p.range_lengths IS NOT NULL
            THEN pg_catalog.array_in(pg_catalog.textout(p.range_lengths), 701, -1) END,
       CASE WHEN p.is_safe AND p.elements IS NOT NULL AND p.element IS NOT NULL
            THEN pg_catalog.array_in(pg_catalog.textout(p.elements), p.element, -1) END
  FROM put p
