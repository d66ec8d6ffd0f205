-- Stored tsvector columns that are kept true from a text column: generated, or by the server's own
-- trigger.
-- @arg table_oid oid
-- @arg text_name text
-- @column name text
-- @column source text how it is made, as the server writes it
-- @server 14+
SELECT a.attname, COALESCE(pg_catalog.pg_get_expr(d.adbin, d.adrelid), x.definition)
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_attribute AS s
    ON s.attrelid = a.attrelid AND s.attname = $2 AND NOT s.attisdropped
  LEFT JOIN pg_catalog.pg_attrdef AS d
    ON a.attgenerated = 's' AND d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN LATERAL
       (SELECT pg_catalog.pg_get_triggerdef(t.oid) AS definition
          FROM pg_catalog.pg_trigger AS t
          JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
         WHERE t.tgrelid = a.attrelid AND t.tgenabled IN ('O', 'A')
           AND p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
           AND p.proname IN ('tsvector_update_trigger', 'tsvector_update_trigger_column')
           AND pg_catalog.pg_get_triggerdef(t.oid)
               LIKE '%(' || pg_catalog.quote_literal(a.attname) || ',%'
           AND pg_catalog.pg_get_triggerdef(t.oid)
               LIKE '%, ' || pg_catalog.quote_literal($2) || '%'
         LIMIT 1) AS x ON true
 WHERE a.attrelid = $1 AND NOT a.attisdropped
   AND a.atttypid = 'pg_catalog.tsvector'::pg_catalog.regtype
   AND (x.definition IS NOT NULL
        OR EXISTS (SELECT 1
                     FROM pg_catalog.pg_depend AS p
                    WHERE (p.classid, p.objid) IN (
                              ('pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid),
                              ('pg_catalog.pg_class'::pg_catalog.regclass, a.attrelid))
                      AND (p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                           OR p.objsubid = a.attnum)
                      AND p.refobjid = a.attrelid AND p.refobjsubid = s.attnum
                      AND a.attgenerated = 's'))
 ORDER BY a.attnum;
