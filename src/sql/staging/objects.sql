-- Everything that must be there again after a restore, with a definition that a dump does not reword:
-- expressions are not compared by their text, because PostgreSQL writes some of them differently after reading them again.
-- @column kind       text
-- @column name       text
-- @column definition text
-- @server 14+
WITH spaces AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl
      FROM pg_catalog.pg_namespace n
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp_)'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                          AND d.objid = n.oid AND d.deptype = 'e')
), relations AS (
    SELECT c.*, n.nspname, pg_catalog.format('%I.%I', n.nspname, c.relname) AS full_name
      FROM pg_catalog.pg_class c
      JOIN spaces n ON n.oid = c.relnamespace
     WHERE c.relpersistence <> 't'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND d.objid = c.oid AND d.deptype = 'e')
), functions AS (
    SELECT p.*, pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
               pg_catalog.pg_get_function_identity_arguments(p.oid)) AS full_name
      FROM pg_catalog.pg_proc p
      JOIN spaces n ON n.oid = p.pronamespace
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                          AND d.objid = p.oid AND d.deptype = 'e')
), found AS (
    SELECT 'extension' AS kind, e.extname::text AS name, e.extversion AS definition
      FROM pg_catalog.pg_extension e
    UNION ALL
    SELECT 'schema', pg_catalog.format('%I', s.nspname), '' FROM spaces s
    UNION ALL
    SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                          WHEN 'c' THEN 'type' ELSE 'table' END,
           c.full_name,
           pg_catalog.concat_ws(' ', c.relkind::text, c.relpersistence::text,
               CASE WHEN c.relrowsecurity THEN 'row security' END,
               CASE WHEN c.relforcerowsecurity THEN 'forced' END,
               'inherits ' || (SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', pn.nspname, pc.relname), ', ' ORDER BY i.inhseqno)
                                 FROM pg_catalog.pg_inherits i
                                 JOIN pg_catalog.pg_class pc ON pc.oid = i.inhparent
                                 JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
                                WHERE i.inhrelid = c.oid))
      FROM relations c
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT 'column', pg_catalog.format('%s.%I', c.full_name, a.attname),
           pg_catalog.concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod),
               CASE WHEN a.attnotnull THEN 'not null' END,
               CASE WHEN a.atthasdef THEN 'default' END,
               'identity ' || nullif(a.attidentity::text, ''),
               'generated ' || nullif(a.attgenerated::text, ''))
      FROM relations c
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT 'constraint', pg_catalog.format('%s.%I', c.full_name, k.conname),
           CASE k.contype
               WHEN 'c' THEN pg_catalog.concat_ws(' ', 'check', keys.names, CASE WHEN NOT k.convalidated THEN 'not valid' END)
               WHEN 'x' THEN pg_catalog.concat_ws(' ', 'exclude', keys.names)
               ELSE pg_catalog.pg_get_constraintdef(k.oid) END
      FROM relations c
      JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid
      CROSS JOIN LATERAL (
               SELECT pg_catalog.string_agg(pg_catalog.format('%I', a.attname), ', ' ORDER BY a.attname) AS names
                 FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)) keys
     WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT 'index', pg_catalog.format('%I.%I', c.nspname, x.relname),
           pg_catalog.concat_ws(' ', CASE WHEN i.indisunique THEN 'unique' END, 'on', c.full_name, 'using', m.amname::text,
               (SELECT pg_catalog.string_agg(
                           CASE WHEN i.indkey[k - 1] = 0 THEN '(expression)'
                                ELSE pg_catalog.pg_get_indexdef(x.oid, k, false) END
                           || ' ' || coalesce((SELECT o.opcname::text FROM pg_catalog.pg_opclass o
                                                WHERE o.oid = i.indclass[k - 1]), 'included')
                           || coalesce(' ' || i.indoption[k - 1]::text, ''), ', ' ORDER BY k)
                  FROM pg_catalog.generate_series(1, i.indnatts::pg_catalog.int4) k),
               CASE WHEN i.indpred IS NOT NULL THEN 'where (predicate)' END,
               'with ' || x.reloptions::text)
      FROM relations c
      JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_am m ON m.oid = x.relam
     WHERE i.indisvalid
    UNION ALL
    SELECT 'sequence', c.full_name,
           pg_catalog.concat_ws(' ', pg_catalog.format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
               s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END)
      FROM relations c
      JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
    UNION ALL
    SELECT 'function', f.full_name,
           pg_catalog.concat_ws(' ', f.prokind::text, f.provolatile::text, CASE WHEN f.prosecdef THEN 'security definer' END,
               pg_catalog.hashtextextended(f.prosrc COLLATE pg_catalog."C", 0), f.proconfig::text)
      FROM functions f
    UNION ALL
    SELECT 'trigger', pg_catalog.format('%s.%I', c.full_name, t.tgname),
           pg_catalog.concat_ws(' ', t.tgtype, t.tgenabled::text, p.proname::text)
      FROM relations c
      JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
      JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    UNION ALL
    SELECT 'policy', pg_catalog.format('%s.%I', c.full_name, p.polname),
           pg_catalog.concat_ws(' ', p.polcmd::text, CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END)
      FROM relations c
      JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid
    UNION ALL
    SELECT 'type', pg_catalog.format('%I.%I', s.nspname, t.typname),
           pg_catalog.concat_ws(' ', t.typtype::text,
               (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                  FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
               CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END)
      FROM spaces s
      JOIN pg_catalog.pg_type t ON t.typnamespace = s.oid AND t.typtype IN ('d', 'e', 'r')
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                          AND d.objid = t.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'event trigger', e.evtname::text, e.evtevent::text FROM pg_catalog.pg_event_trigger e
    UNION ALL
    SELECT 'rights', owned.what,
           'owner ' || pg_catalog.pg_get_userbyid(owned.owner) || coalesce((
               SELECT pg_catalog.string_agg(', ' || CASE WHEN a.grantee = 0 THEN 'public'
                                                ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
                          || ' ' || a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ''
                          ORDER BY a.grantee <> 0, pg_catalog.pg_get_userbyid(a.grantee), a.privilege_type)
                 FROM pg_catalog.aclexplode(coalesce(owned.acl, pg_catalog.acldefault(owned.code, owned.owner))) a), '')
      FROM (SELECT pg_catalog.format('schema %I', s.nspname) AS what, 'n'::"char" AS code, s.nspowner AS owner, s.nspacl AS acl
              FROM spaces s
             UNION ALL
            SELECT pg_catalog.format('relation %s', c.full_name),
                   CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END::"char", c.relowner, c.relacl
              FROM relations c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
             UNION ALL
            SELECT pg_catalog.format('function %s', f.full_name), 'f'::"char", f.proowner, f.proacl
              FROM functions f) owned
)
SELECT kind, name, definition FROM found ORDER BY kind COLLATE pg_catalog."C", name COLLATE pg_catalog."C", definition COLLATE pg_catalog."C"
