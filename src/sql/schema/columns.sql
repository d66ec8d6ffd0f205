-- Columns of tables and views; not those of composite types.
-- @column schema text
-- @column table_name text
-- @column name text
-- @column position int4 among the columns that are there, from 1
-- @column type text by format_type()
-- @column is_not_null bool
-- @column default_text text? not of generated columns
-- @column identity text? always, by default
-- @column generated text? the expression
-- @column is_virtual bool of generated columns (18+)
-- @column collation text? qualified and quoted, when it is not the type's own
-- @column storage text? plain, external, extended, main; when it is not the type's own
-- @column compression text? pglz, lz4
-- @column statistics text? target, when it was set
-- @column options text? "n_distinct=5", sorted, as SET (…) takes them; not the version that late releases of 14 to 18 keep there
-- @column foreign_options text? of a foreign table's, as OPTIONS (…) takes them
-- @column is_local bool not only inherited
-- @column acl text? a JSON array of sorted "grantee=rights/grantor" items
-- @column comment text?
-- @server 14+
SELECT n.nspname::text, c.relname::text, a.attname::text,
       pg_catalog.row_number() OVER (PARTITION BY n.nspname, c.relname ORDER BY a.attnum)::int4,
       pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
       CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(f.adbin, f.adrelid) END,
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
       CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(f.adbin, f.adrelid) END,
       a.attgenerated = 'v',
       CASE WHEN a.attcollation <> t.typcollation
            THEN pg_catalog.format('%I.%I', ln.nspname, l.collname) END,
       CASE WHEN a.attstorage <> t.typstorage THEN
           CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                             WHEN 'x' THEN 'extended' ELSE 'main' END END,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
       CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::text END,
       CASE WHEN pg_catalog.left(a.attoptions[1], 10) <> 'pg_attver='
                 OR pg_catalog.cardinality(a.attoptions) > 1 THEN (
           SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE "C")
             FROM pg_catalog.unnest(a.attoptions) AS o
            WHERE pg_catalog.left(o, 10) <> 'pg_attver=') END,
       CASE WHEN a.attfdwoptions IS NOT NULL THEN (
           SELECT pg_catalog.string_agg(
                      pg_catalog.quote_ident(o.option_name) || ' '
                      || pg_catalog.quote_literal(o.option_value),
                      ', ' ORDER BY o.option_name COLLATE "C")
             FROM pg_catalog.pg_options_to_table(a.attfdwoptions) AS o) END,
       a.attislocal,
       CASE WHEN a.attacl IS NOT NULL THEN NULLIF(
           pg_catalog.to_json(ARRAY(SELECT x::text FROM pg_catalog.unnest(a.attacl) AS x
                                     ORDER BY x::text COLLATE "C"))::text, '[]') END,
       d.description
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = a.attrelid AND d.objsubid = a.attnum
   AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
 WHERE a.attnum > 0 AND NOT a.attisdropped
   AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND e.objid = c.oid AND e.deptype = 'e')
 ORDER BY n.nspname, c.relname, a.attnum;
