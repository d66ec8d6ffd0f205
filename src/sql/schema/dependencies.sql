-- Who rests on whom among all of these, by classes and identities; not what goes without saying: an index, constraint, trigger, rule, policy or default on its own table, partitions' copies, owned sequences on their columns, anything on its schema.
-- @column class text as the others' file: tables, functions, columns (their defaults), constraints
-- @column identity text
-- @column on_class text also extensions: of something that belongs to one. An index of a constraint is told as the constraint.
-- @column on_identity text of a column; its table has a row too
-- @server 14+
WITH spaces AS (
    SELECT n.oid, pg_catalog.quote_ident(n.nspname) || '.' AS prefix
      FROM pg_catalog.pg_namespace AS n
     WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
), relations AS (
    SELECT c.oid, c.relkind, s.prefix || pg_catalog.quote_ident(c.relname) AS identity
      FROM pg_catalog.pg_class AS c JOIN spaces AS s ON s.oid = c.relnamespace
     WHERE c.relkind <> 't'
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND e.objid = c.oid AND e.deptype = 'e')
), rare AS (
    -- Of the catalogues that the others' file is about, and what belongs to one of their objects.
    SELECT u.classid, u.objid
      FROM (SELECT d.classid, d.objid FROM pg_catalog.pg_depend AS d
            UNION
            SELECT d.refclassid, d.refobjid FROM pg_catalog.pg_depend AS d) AS u
     WHERE u.objid >= 16384
       AND u.classid = ANY ('{pg_catalog.pg_am,pg_catalog.pg_amop,pg_catalog.pg_amproc,
               pg_catalog.pg_cast,pg_catalog.pg_collation,pg_catalog.pg_conversion,
               pg_catalog.pg_event_trigger,pg_catalog.pg_foreign_data_wrapper,
               pg_catalog.pg_foreign_server,pg_catalog.pg_language,pg_catalog.pg_operator,
               pg_catalog.pg_opclass,pg_catalog.pg_opfamily,pg_catalog.pg_publication,
               pg_catalog.pg_publication_rel,pg_catalog.pg_transform,pg_catalog.pg_ts_config,
               pg_catalog.pg_ts_dict,pg_catalog.pg_ts_parser,pg_catalog.pg_ts_template}'
               ::pg_catalog.regclass[]::oid[])
       -- Not of extensions; the cast of a range to its multirange comes with the type.
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = u.classid AND e.objid = u.objid
                          AND (e.deptype = 'e' OR e.deptype = 'i'
                               AND u.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass))
), objects (classid, objid, class, identity, table_oid) AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid,
           CASE WHEN k.oid IS NOT NULL THEN 'constraints' WHEN c.relkind IN ('i', 'I')
                THEN 'indexes' WHEN c.relkind = 'S' THEN 'sequences' WHEN c.relkind = 'c'
                THEN 'types' ELSE 'tables' END,
           CASE WHEN k.oid IS NULL THEN c.identity
                ELSE t.identity || '.' || pg_catalog.quote_ident(k.conname) END, i.indrelid
      FROM relations AS c
      LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
      LEFT JOIN pg_catalog.pg_constraint AS k
        ON k.conindid = c.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
      LEFT JOIN relations AS t ON t.oid = k.conrelid
    UNION ALL
    SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, t.oid,
           CASE WHEN c.relkind <> 'c' THEN 'tables' ELSE 'types' END,
           COALESCE(c.identity, s.prefix || pg_catalog.quote_ident(
               COALESCE(m.typname, e.typname, t.typname))), 0
      FROM pg_catalog.pg_type AS t
      JOIN spaces AS s ON s.oid = t.typnamespace
      LEFT JOIN pg_catalog.pg_type AS e ON e.typarray = t.oid
      LEFT JOIN pg_catalog.pg_range AS r
        ON r.rngmultitypid = CASE WHEN e.typtype = 'm' THEN e.oid ELSE t.oid END
      LEFT JOIN pg_catalog.pg_type AS m ON m.oid = r.rngtypid
      LEFT JOIN relations AS c ON c.oid = COALESCE(e.typrelid, t.typrelid)
     WHERE (c.oid IS NOT NULL OR COALESCE(e.typrelid, t.typrelid) = 0)
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS x
                        WHERE x.classid = t.tableoid AND x.deptype = 'e'
                          AND x.objid = COALESCE(m.oid, e.oid, t.oid))
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::oid, f.oid,
           CASE WHEN i.typname IS NULL THEN 'functions' ELSE 'types' END,
           s.prefix || COALESCE(pg_catalog.quote_ident(i.typname),
               pg_catalog.quote_ident(f.proname) || '('
               || CASE WHEN f.prokind = 'a' AND f.pronargs = 0 THEN '*'
                       WHEN a.aggkind IN ('o', 'h')
                       THEN pg_catalog.pg_get_function_identity_arguments(f.oid)
                       ELSE pg_catalog.array_to_string(ARRAY(
                           SELECT pg_catalog.format_type(t.oid, NULL)
                             FROM pg_catalog.unnest(f.proargtypes) WITH ORDINALITY
                                  AS t (oid, place)
                            ORDER BY t.place), ', ') END || ')'), 0
      FROM pg_catalog.pg_proc AS f
      JOIN spaces AS s ON s.oid = f.pronamespace
      LEFT JOIN pg_catalog.pg_aggregate AS a ON a.aggfnoid = f.oid
      -- The constructors of a range type come with it.
      LEFT JOIN (SELECT d.objid, COALESCE(m.typname, t.typname) AS typname
                   FROM pg_catalog.pg_depend AS d
                   JOIN pg_catalog.pg_type AS t ON t.oid = d.refobjid
                   LEFT JOIN pg_catalog.pg_range AS r ON r.rngmultitypid = t.oid
                   LEFT JOIN pg_catalog.pg_type AS m ON m.oid = r.rngtypid
                  WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                    AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
                    AND d.deptype = 'i') AS i ON i.objid = f.oid
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass::oid, k.oid, 'constraints',
           COALESCE(c.identity, s.prefix || pg_catalog.quote_ident(t.typname)) || '.'
           || pg_catalog.quote_ident(k.conname), COALESCE(c.oid, k.contypid)
      FROM pg_catalog.pg_constraint AS k
      JOIN spaces AS s ON s.oid = k.connamespace
      LEFT JOIN relations AS c ON c.oid = k.conrelid
      LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
     WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0
    UNION ALL
    SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass::oid, d.oid, 'columns',
           c.identity || '.' || pg_catalog.quote_ident(a.attname), c.oid
      FROM pg_catalog.pg_attrdef AS d
      JOIN relations AS c ON c.oid = d.adrelid
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    UNION ALL
    SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass::oid, r.oid,
           CASE r.rulename WHEN '_RETURN' THEN 'tables' ELSE 'rules' END,
           CASE r.rulename WHEN '_RETURN' THEN c.identity
                ELSE c.identity || '.' || pg_catalog.quote_ident(r.rulename) END, c.oid
      FROM pg_catalog.pg_rewrite AS r JOIN relations AS c ON c.oid = r.ev_class
    UNION ALL
    SELECT 'pg_catalog.pg_trigger'::pg_catalog.regclass::oid, t.oid, 'triggers',
           c.identity || '.' || pg_catalog.quote_ident(t.tgname), c.oid
      FROM pg_catalog.pg_trigger AS t JOIN relations AS c ON c.oid = t.tgrelid
     WHERE NOT t.tgisinternal AND t.tgparentid = 0
    UNION ALL
    SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass::oid, p.oid, 'policies',
           c.identity || '.' || pg_catalog.quote_ident(p.polname), c.oid
      FROM pg_catalog.pg_policy AS p JOIN relations AS c ON c.oid = p.polrelid
    UNION ALL
    SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass::oid, x.oid, 'statistics',
           s.prefix || pg_catalog.quote_ident(x.stxname), 0
      FROM pg_catalog.pg_statistic_ext AS x JOIN spaces AS s ON s.oid = x.stxnamespace
    UNION ALL
    SELECT r.classid, r.objid, 'others',
           CASE x.type WHEN 'foreign-data wrapper' THEN 'foreign data wrapper' ELSE x.type END
           || ' ' || CASE x.type WHEN 'operator'
                     THEN pg_catalog.replace(x.identity, ',', ', ')
                     WHEN 'transform'
                     THEN pg_catalog.regexp_replace(
                              pg_catalog.replace(x.identity, ' on language ', ' language '),
                              '^for (.*) language ', 'FOR \1 LANGUAGE ')
                     ELSE x.identity END, 0
      FROM rare AS r
      LEFT JOIN pg_catalog.pg_depend AS i
        ON i.classid = r.classid AND i.objid = r.objid AND i.deptype IN ('a', 'i')
       AND i.classid = ANY ('{pg_catalog.pg_amop,pg_catalog.pg_amproc,
               pg_catalog.pg_publication_rel}'::pg_catalog.regclass[]::oid[])
       AND i.refclassid = ANY ('{pg_catalog.pg_opclass,pg_catalog.pg_opfamily,
               pg_catalog.pg_publication}'::pg_catalog.regclass[]::oid[])
     CROSS JOIN LATERAL pg_catalog.pg_identify_object(
           COALESCE(i.refclassid, r.classid), COALESCE(i.refobjid, r.objid), 0) AS x
), members AS (
    SELECT e.classid, e.objid, pg_catalog.quote_ident(x.extname) AS identity
      FROM pg_catalog.pg_depend AS e
      JOIN pg_catalog.pg_extension AS x ON x.oid = e.refobjid
     WHERE e.deptype = 'e' AND e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
       AND x.oid >= 16384
), links AS (
    SELECT DISTINCT o.class, o.identity,
           CASE WHEN m.identity IS NULL THEN n.class ELSE 'extensions' END AS on_class,
           COALESCE(m.identity, n.identity) AS on_identity,
           CASE WHEN m.identity IS NULL AND d.refobjsubid > 0 AND n.class = 'tables'
                THEN pg_catalog.quote_ident(a.attname) END AS on_column
      FROM pg_catalog.pg_depend AS d
      JOIN objects AS o ON o.classid = d.classid AND o.objid = d.objid
      LEFT JOIN objects AS n ON n.classid = d.refclassid AND n.objid = d.refobjid
      LEFT JOIN members AS m ON m.classid = d.refclassid AND m.objid = d.refobjid
      LEFT JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
     WHERE d.deptype IN ('n', 'a', 'i')
       AND (n.identity IS NOT NULL OR m.identity IS NOT NULL)
       AND d.refobjid IS DISTINCT FROM o.table_oid
       AND (o.class, o.identity) IS DISTINCT FROM (n.class, n.identity)
       AND NOT (o.class = 'sequences' AND n.class = 'tables')
       AND NOT EXISTS (SELECT 1 FROM members AS x
                        WHERE x.classid = d.classid AND x.objid = d.objid)
)
SELECT l.class, l.identity, x.on_class, x.on_identity
  FROM links AS l
 CROSS JOIN LATERAL (
    SELECT l.on_class, l.on_identity
    UNION ALL
    SELECT 'columns', l.on_identity || '.' || l.on_column WHERE l.on_column IS NOT NULL)
    AS x (on_class, on_identity)
 GROUP BY 1, 2, 3, 4
 ORDER BY l.class COLLATE "C", l.identity COLLATE "C", x.on_class COLLATE "C",
          x.on_identity COLLATE "C";
