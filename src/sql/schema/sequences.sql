-- Sequences.
-- @column schema text
-- @column name text
-- @column persistence text permanent, unlogged
-- @column type text
-- @column start_value text
-- @column increment text
-- @column min_value text
-- @column max_value text
-- @column cache text
-- @column is_cycle bool
-- @column owned_by text? "schema.table.column", quoted
-- @column is_identity bool it belongs to an identity column
-- @column owner text
-- @column acl text? a JSON array of sorted "grantee=rights/grantor" items as aclitem writes them, the owner's among them; NULL: the default rights
-- @column comment text?
-- @server 14+
SELECT n.nspname::text, c.relname::text,
       CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' END,
       pg_catalog.format_type(s.seqtypid, NULL), s.seqstart::text, s.seqincrement::text,
       s.seqmin::text, s.seqmax::text, s.seqcache::text, s.seqcycle,
       CASE WHEN o.objid IS NOT NULL
            THEN pg_catalog.format('%I.%I.%I', tn.nspname, t.relname, a.attname) END,
       COALESCE(o.deptype = 'i', false),
       pg_catalog.pg_get_userbyid(c.relowner)::text,
       CASE WHEN c.relacl IS NOT NULL THEN NULLIF(
           pg_catalog.to_json(ARRAY(SELECT x::text FROM pg_catalog.unnest(c.relacl) AS x
                                     ORDER BY x::text COLLATE "C"))::text,
           pg_catalog.to_json(ARRAY(SELECT x::text
                                      FROM pg_catalog.unnest(
                                           pg_catalog.acldefault('s', c.relowner)) AS x
                                     ORDER BY x::text COLLATE "C"))::text) END,
       d.description
  FROM pg_catalog.pg_sequence AS s
  JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend AS o
    ON o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid
   AND o.objsubid = 0 AND o.deptype IN ('a', 'i') AND o.refobjsubid > 0
   AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = o.refobjid
  LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = o.refobjsubid
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND e.objid = c.oid AND e.deptype = 'e')
 ORDER BY n.nspname, c.relname;
