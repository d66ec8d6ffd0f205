-- Enums, domains, composite, range and base types of the user; not the row types of tables.
-- @column schema text
-- @column name text
-- @column kind text enum, domain, composite, range, base
-- @column definition text what follows CREATE TYPE or CREATE DOMAIN name, of a domain with COLLATE, DEFAULT and NOT NULL but without its constraints: "AS ENUM ('a', 'b')"
-- @column labels text? of an enum in their order, a JSON array
-- @column base_type text? of a domain
-- @column default_text text? of a domain
-- @column is_not_null bool of a domain
-- @column collation text? of a domain, qualified and quoted, when it is not that of its base type
-- @column column_comments text? of a composite type: a JSON object of names and comments
-- @column owner text
-- @column acl text? a JSON array of sorted "grantee=rights/grantor" items as aclitem writes them, the owner's among them; NULL: the default rights
-- @column comment text?
-- @server 14+
WITH own AS (
    SELECT t.*, n.nspname,
           CASE WHEN t.typtype = 'd'
                THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS base,
           CASE WHEN t.typtype = 'd' THEN COALESCE(
                pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault) END AS standard,
           CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
                THEN (SELECT pg_catalog.format('%I.%I', ln.nspname, l.collname)
                        FROM pg_catalog.pg_collation AS l
                        JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
                       WHERE l.oid = t.typcollation) END AS sorting
      FROM pg_catalog.pg_type AS t
      JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
      LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
      LEFT JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
     WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
       AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')
            OR (t.typtype = 'b' AND t.typsubscript
                IS DISTINCT FROM 'pg_catalog.array_subscript_handler'::pg_catalog.regproc))
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                          AND e.objid = t.oid AND e.deptype = 'e')
)
SELECT t.nspname::text, t.typname::text,
       CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite'
                      WHEN 'r' THEN 'range' ELSE 'base' END,
       CASE t.typtype
       WHEN 'e' THEN 'AS ENUM (' || pg_catalog.array_to_string(ARRAY(
           SELECT pg_catalog.quote_literal(e.enumlabel) FROM pg_catalog.pg_enum AS e
            WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder), ', ') || ')'
       WHEN 'd' THEN pg_catalog.concat('AS ', t.base, ' COLLATE ' || t.sorting,
           ' DEFAULT ' || t.standard, CASE WHEN t.typnotnull THEN ' NOT NULL' END)
       WHEN 'c' THEN 'AS (' || pg_catalog.array_to_string(ARRAY(
           SELECT pg_catalog.concat(pg_catalog.quote_ident(a.attname), ' ',
                      pg_catalog.format_type(a.atttypid, a.atttypmod),
                      ' COLLATE ' || CASE WHEN a.attcollation <> y.typcollation THEN
                          pg_catalog.format('%I.%I', ln.nspname, l.collname) END)
             FROM pg_catalog.pg_attribute AS a
             JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
             LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
             LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum), ', ') || ')'
       WHEN 'r' THEN (
           SELECT 'AS RANGE (' || pg_catalog.concat_ws(', ',
                      'subtype = ' || pg_catalog.format_type(r.rngsubtype, NULL),
                      'subtype_opclass = ' || CASE WHEN NOT o.opcdefault THEN
                          pg_catalog.format('%I.%I', o_n.nspname, o.opcname) END,
                      'collation = ' || CASE WHEN r.rngcollation <> y.typcollation THEN
                          pg_catalog.format('%I.%I', ln.nspname, l.collname) END,
                      'canonical = ' || CASE WHEN r.rngcanonical <> 0
                                             THEN r.rngcanonical::text END,
                      'subtype_diff = ' || CASE WHEN r.rngsubdiff <> 0
                                                THEN r.rngsubdiff::text END,
                      'multirange_type_name = '
                          || pg_catalog.format_type(r.rngmultitypid, NULL)) || ')'
             FROM pg_catalog.pg_range AS r
             JOIN pg_catalog.pg_type AS y ON y.oid = r.rngsubtype
             JOIN pg_catalog.pg_opclass AS o ON o.oid = r.rngsubopc
             JOIN pg_catalog.pg_namespace AS o_n ON o_n.oid = o.opcnamespace
             LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = r.rngcollation
             LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
            WHERE r.rngtypid = t.oid)
       ELSE '(' || pg_catalog.concat_ws(', ', 'INPUT = ' || t.typinput::text,
           'OUTPUT = ' || t.typoutput::text,
           'RECEIVE = ' || CASE WHEN t.typreceive <> 0 THEN t.typreceive::text END,
           'SEND = ' || CASE WHEN t.typsend <> 0 THEN t.typsend::text END,
           'TYPMOD_IN = ' || CASE WHEN t.typmodin <> 0 THEN t.typmodin::text END,
           'TYPMOD_OUT = ' || CASE WHEN t.typmodout <> 0 THEN t.typmodout::text END,
           'ANALYZE = ' || CASE WHEN t.typanalyze <> 0 THEN t.typanalyze::text END,
           'SUBSCRIPT = ' || CASE WHEN t.typsubscript <> 0 THEN t.typsubscript::text END,
           'INTERNALLENGTH = ' || CASE WHEN t.typlen < 0 THEN 'VARIABLE' ELSE t.typlen::text END,
           CASE WHEN t.typbyval THEN 'PASSEDBYVALUE' END,
           'ALIGNMENT = ' || CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2'
                                             WHEN 'i' THEN 'int4' ELSE 'double' END,
           'STORAGE = ' || CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                                             WHEN 'x' THEN 'extended' ELSE 'main' END,
           'CATEGORY = ' || pg_catalog.quote_literal(t.typcategory::text),
           CASE WHEN t.typispreferred THEN 'PREFERRED = true' END,
           'DEFAULT = ' || pg_catalog.quote_literal(t.typdefault),
           'ELEMENT = ' || CASE WHEN t.typelem <> 0
                                THEN pg_catalog.format_type(t.typelem, NULL) END,
           'DELIMITER = ' || CASE WHEN t.typdelim <> ','
                                  THEN pg_catalog.quote_literal(t.typdelim::text) END,
           CASE WHEN t.typcollation <> 0 THEN 'COLLATABLE = true' END) || ')'
       END,
       CASE WHEN t.typtype = 'e' THEN pg_catalog.to_json(ARRAY(
           SELECT e.enumlabel::text FROM pg_catalog.pg_enum AS e
            WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder))::text END,
       t.base, t.standard, t.typnotnull, t.sorting,
       CASE WHEN t.typtype = 'c' THEN (
           SELECT pg_catalog.json_object_agg(a.attname, x.description ORDER BY a.attnum)::text
             FROM pg_catalog.pg_attribute AS a
             JOIN pg_catalog.pg_description AS x
               ON x.objoid = a.attrelid AND x.objsubid = a.attnum
              AND x.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
            WHERE a.attrelid = t.typrelid AND a.attnum > 0) END,
       pg_catalog.pg_get_userbyid(t.typowner)::text,
       CASE WHEN t.typacl IS NOT NULL THEN NULLIF(
           pg_catalog.to_json(ARRAY(SELECT x::text FROM pg_catalog.unnest(t.typacl) AS x
                                     ORDER BY x::text COLLATE "C"))::text,
           pg_catalog.to_json(ARRAY(SELECT x::text
                                      FROM pg_catalog.unnest(
                                           pg_catalog.acldefault('T', t.typowner)) AS x
                                     ORDER BY x::text COLLATE "C"))::text) END,
       d.description
  FROM own AS t
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = t.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass
 ORDER BY t.nspname, t.typname;
