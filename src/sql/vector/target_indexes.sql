-- The indexes of a table, with what the vector column has to do with them.
-- @arg    table_oid    oid
-- @arg    column_name  text   the vector column
-- @column index_oid    oid
-- @column name         text
-- @column method       text
-- @column opclass      text   of the first key
-- @column key_type     text   that the operator class is for
-- @column definition   text
-- @column key          text   the first key: a column or an expression
-- @column built_rows   int8   rows it had when it was built or last looked over; -1: not known
-- @column predicate    text?  of a partial index
-- @column bytes        int8
-- @column scans        int8
-- @column is_valid     bool
-- @column lists        int4   of ivfflat; 0: none given
-- @column is_on_vector bool   its first key is the column, or an expression over it
-- @column lead         text?  its first key when that is a plain column
-- @server 14+
SELECT c.oid,
       c.relname,
       m.amname,
       o.opcname,
       pg_catalog.format_type(o.opcintype, NULL),
       pg_catalog.pg_get_indexdef(c.oid),
       pg_catalog.pg_get_indexdef(c.oid, 1, false),
       c.reltuples::pg_catalog.int8,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid),
       pg_catalog.pg_relation_size(c.oid),
       COALESCE(s.idx_scan, 0),
       i.indisvalid AND i.indisready,
       COALESCE((SELECT pg_catalog.split_part(x.option, '=', 2)::pg_catalog.int4
                   FROM pg_catalog.unnest(c.reloptions) AS x (option)
                  WHERE x.option LIKE 'lists=%'),
                CASE m.amname WHEN 'ivfflat' THEN 100 ELSE 0 END),
       CASE WHEN i.indkey[0] = 0
            THEN EXISTS (SELECT 1
                           FROM pg_catalog.pg_depend AS d
                          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                            AND d.objid = c.oid AND d.refobjid = i.indrelid
                            AND d.refobjsubid = v.attnum)
                 AND m.amname IN ('hnsw', 'ivfflat')
            ELSE i.indkey[0] = v.attnum END,
       a.attname
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
  JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[0]
  JOIN pg_catalog.pg_attribute AS v ON v.attrelid = i.indrelid AND v.attname = $2
  LEFT JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid = i.indrelid AND a.attnum = NULLIF(i.indkey[0], 0)
  LEFT JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = c.oid
 WHERE i.indrelid = $1::oid
   AND i.indislive
 ORDER BY pg_catalog.pg_relation_size(c.oid) DESC, c.relname
