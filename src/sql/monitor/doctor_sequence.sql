-- Numbers that run out: sequences against their own end and that of the column they fill, and keys of
-- small integer types without a sequence, by the largest value that ANALYZE has seen.
-- @column object text the sequence, or the column
-- @column fills text? the column that a sequence fills
-- @column used int8 how far it is
-- @column limit_value int8 where it ends
-- @column is_estimate bool by statistics, not exact
-- @server 14+
WITH sequence AS (
    SELECT pg_catalog.quote_ident(s.schemaname) || '.' || pg_catalog.quote_ident(s.sequencename) AS object,
           s.last_value AS used, s.max_value AS own_limit, c.oid AS sequence_oid
      FROM pg_catalog.pg_sequences AS s
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.schemaname
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.sequencename
     WHERE s.last_value IS NOT NULL AND NOT s.cycle AND s.increment_by > 0 AND s.max_value > 0),
filled AS (
    SELECT DISTINCT ON (d.objid) d.objid, a.attrelid, a.attnum, a.attname, a.atttypid
      FROM pg_catalog.pg_depend AS d
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)
SELECT s.object,
       f.attrelid::pg_catalog.regclass::pg_catalog.text || '.' || pg_catalog.quote_ident(f.attname),
       s.used,
       LEAST(s.own_limit, CASE f.atttypid WHEN 'int2'::pg_catalog.regtype THEN 32767
                                          WHEN 'int4'::pg_catalog.regtype THEN 2147483647
                                          ELSE 9223372036854775807 END),
       false
  FROM sequence AS s
  LEFT JOIN filled AS f ON f.objid = s.sequence_oid
 WHERE s.used > 0
UNION ALL
SELECT k.conrelid::pg_catalog.regclass::pg_catalog.text || '.' || pg_catalog.quote_ident(a.attname),
       NULL, x.most, CASE a.atttypid WHEN 'int2'::pg_catalog.regtype THEN 32767 ELSE 2147483647 END, true
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
  JOIN pg_catalog.pg_stats AS t
    ON t.schemaname = n.nspname AND t.tablename = c.relname AND t.attname = a.attname AND NOT t.inherited
  CROSS JOIN LATERAL (
       SELECT CASE WHEN a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype)
                   THEN b[pg_catalog.array_upper(b, 1)]::pg_catalog.int8 END
         FROM (SELECT t.histogram_bounds::pg_catalog.text::pg_catalog.text[]) AS y (b)) AS x (most)
 WHERE k.contype IN ('p', 'f') AND x.most > 0
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype)
   AND NOT EXISTS (SELECT 1 FROM filled AS f
                    WHERE f.attrelid = a.attrelid AND f.attnum = a.attnum)
 ORDER BY 1;
