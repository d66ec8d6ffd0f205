-- The whole catalogue of a database apart from schema pgmend, as one digest a class of objects.
-- @column class text
-- @column count int8
-- @column digest text
-- @server 14+
WITH own AS (
    SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace AS n
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend')
       AND n.nspname !~ '^pg_(toast|temp)'
), lines (class, line) AS (
    SELECT 'schema', o.nspname || ' ' || COALESCE(n.nspacl::text, '')
      FROM own AS o JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oid
    UNION ALL
    SELECT 'relation', o.nspname || '.' || c.relname || ' ' || c.relkind::text || ' '
           || c.relpersistence::text || ' ' || pg_catalog.pg_get_userbyid(c.relowner) || ' '
           || COALESCE(c.relacl::text, '') || ' ' || COALESCE(c.reloptions::text, '')
      FROM pg_catalog.pg_class AS c JOIN own AS o ON o.oid = c.relnamespace
     WHERE c.relkind NOT IN ('i', 'I')
    UNION ALL
    SELECT 'column', o.nspname || '.' || c.relname || '.' || a.attname || ' ' || a.attnum || ' '
           || pg_catalog.format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
           || a.attidentity::text || a.attgenerated::text || ' ' || a.attstorage::text || ' '
           || COALESCE(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
      JOIN own AS o ON o.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind NOT IN ('i', 'I')
    UNION ALL
    SELECT 'index', pg_catalog.pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid || ' '
           || i.indisready || ' ' || i.indislive || ' ' || i.indisclustered || ' '
           || i.indisreplident || ' ' || COALESCE(c.reloptions::text, '')
      FROM pg_catalog.pg_index AS i
      JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
      JOIN own AS o ON o.oid = c.relnamespace
    UNION ALL
    SELECT 'constraint', o.nspname || '.' || k.conname || ' ' || k.conrelid::pg_catalog.regclass
           || ' ' || pg_catalog.pg_get_constraintdef(k.oid) || ' ' || k.convalidated
      FROM pg_catalog.pg_constraint AS k JOIN own AS o ON o.oid = k.connamespace
    UNION ALL
    SELECT 'function', o.nspname || '.' || f.proname || '('
           || pg_catalog.pg_get_function_identity_arguments(f.oid) || ') '
           || pg_catalog.md5(COALESCE(f.prosrc, '')) || ' ' || COALESCE(f.proconfig::text, '')
      FROM pg_catalog.pg_proc AS f JOIN own AS o ON o.oid = f.pronamespace
    UNION ALL
    SELECT 'trigger', pg_catalog.pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
      FROM pg_catalog.pg_trigger AS t
      JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
      JOIN own AS o ON o.oid = c.relnamespace
     WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'view', o.nspname || '.' || c.relname || ' '
           || pg_catalog.md5(pg_catalog.pg_get_viewdef(c.oid))
      FROM pg_catalog.pg_class AS c JOIN own AS o ON o.oid = c.relnamespace
     WHERE c.relkind IN ('v', 'm')
    UNION ALL
    SELECT 'type', o.nspname || '.' || t.typname || ' ' || t.typtype::text
           || ' ' || COALESCE((SELECT pg_catalog.string_agg(e.enumlabel, ','
                                                            ORDER BY e.enumsortorder)
                                 FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid), '')
      FROM pg_catalog.pg_type AS t JOIN own AS o ON o.oid = t.typnamespace
     WHERE t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'b' AND t.typelem = 0)
    UNION ALL
    SELECT 'policy', c.relname || ' ' || p.polname || ' ' || p.polcmd::text
           || COALESCE(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '')
      FROM pg_catalog.pg_policy AS p
      JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
      JOIN own AS o ON o.oid = c.relnamespace
    UNION ALL
    SELECT 'extension', e.extname || ' ' || e.extversion FROM pg_catalog.pg_extension AS e
)
SELECT l.class, pg_catalog.count(*),
       pg_catalog.md5(pg_catalog.string_agg(l.line, E'\n' ORDER BY l.line COLLATE "C"))
  FROM lines AS l
 GROUP BY l.class
 ORDER BY l.class;
