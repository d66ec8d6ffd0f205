-- Numbers that run out: sequences against their own end and that of the column they fill, and keys of
-- small integer types without a sequence, by the largest value that ANALYZE has seen.
-- @column object text the sequence, or the column
-- @column fills text? the column that a sequence fills
-- @column used int8 how far it is
-- @column limit_value int8 where it ends
-- @column is_estimate bool by statistics, not exact
-- @column is_hidden bool the role may not see how far it is
-- @column schema text of the sequence, or of the table
-- @column relation text? quoted: the table of the column, of a partition the whole
-- @column attribute text? the column
-- @column type_limit int8 where the column ends
-- @column own_limit int8 where the sequence ends
-- @column sequence_type_limit int8 where its type ends
-- @server 14+
WITH sequence AS (
    SELECT pg_catalog.quote_ident(s.schemaname) || '.' || pg_catalog.quote_ident(s.sequencename) AS object,
           s.schemaname::pg_catalog.text AS schema, s.last_value AS used, s.max_value AS own_limit,
           CASE s.data_type WHEN 'int2'::pg_catalog.regtype THEN 32767
                            WHEN 'int4'::pg_catalog.regtype THEN 2147483647
                            ELSE 9223372036854775807 END AS type_limit,
           c.oid AS sequence_oid,
           NOT pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') AS is_hidden
      FROM pg_catalog.pg_sequences AS s
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.schemaname
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.sequencename
     WHERE NOT s.cycle AND s.increment_by > 0 AND s.max_value > 0),
filled AS (
    SELECT DISTINCT ON (d.objid) d.objid, a.attrelid, a.attnum, a.attname,
           CASE a.atttypid WHEN 'int2'::pg_catalog.regtype THEN 32767
                           WHEN 'int4'::pg_catalog.regtype THEN 2147483647
                           ELSE 9223372036854775807 END AS type_limit
      FROM pg_catalog.pg_depend AS d
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)
SELECT s.object,
       f.attrelid::pg_catalog.regclass::pg_catalog.text || '.' || pg_catalog.quote_ident(f.attname),
       COALESCE(s.used, 0), LEAST(s.own_limit, f.type_limit), false, s.is_hidden, s.schema,
       COALESCE(pg_catalog.pg_partition_root(f.attrelid), f.attrelid)
           ::pg_catalog.regclass::pg_catalog.text,
       f.attname, COALESCE(f.type_limit, 9223372036854775807), s.own_limit, s.type_limit
  FROM sequence AS s
  LEFT JOIN filled AS f ON f.objid = s.sequence_oid
 WHERE s.used > 0 OR s.is_hidden
UNION ALL
SELECT k.conrelid::pg_catalog.regclass::pg_catalog.text || '.' || pg_catalog.quote_ident(a.attname),
       NULL, COALESCE(x.most, 0), y.type_limit, true, x.most IS NULL, n.nspname,
       COALESCE(pg_catalog.pg_partition_root(k.conrelid), k.conrelid)
           ::pg_catalog.regclass::pg_catalog.text,
       a.attname, y.type_limit, y.type_limit, y.type_limit
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
  LEFT JOIN pg_catalog.pg_stats AS t
    ON t.schemaname = n.nspname AND t.tablename = c.relname AND t.attname = a.attname AND NOT t.inherited
  CROSS JOIN LATERAL (
       SELECT CASE a.atttypid WHEN 'int2'::pg_catalog.regtype THEN 32767
                              ELSE 2147483647 END::pg_catalog.int8) AS y (type_limit)
  CROSS JOIN LATERAL (
       SELECT CASE WHEN a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype)
                   THEN b[pg_catalog.array_upper(b, 1)]::pg_catalog.int8 END
         FROM (SELECT t.histogram_bounds::pg_catalog.text::pg_catalog.text[]) AS h (b)) AS x (most)
 WHERE k.contype IN ('p', 'f')
   -- A key that only repeats another one ends where that one does.
   AND (x.most > 0
        OR t.attname IS NULL AND c.relkind = 'r'
           AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
           AND (k.contype = 'p'
                OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute AS o
                                WHERE o.attrelid = k.confrelid AND o.atttypid = a.atttypid
                                  AND o.attnum = k.confkey[pg_catalog.array_position(k.conkey, a.attnum)])))
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype)
   AND NOT EXISTS (SELECT 1 FROM filled AS f
                    WHERE f.attrelid = a.attrelid AND f.attnum = a.attnum)
 ORDER BY 1;
