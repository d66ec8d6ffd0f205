-- What is rarely there: access methods, casts, collations, conversions, default privileges, event triggers, foreign data wrappers, servers and user mappings, languages, operators and their classes and families, text search, transforms; and, from their own file, publications, with which they are sorted.
-- @column kind text in capitals the word of COMMENT ON, ALTER and DROP
-- @column name text quoted and qualified as in COMMENT ON, unique in its kind
-- @column definition text the statements that make it, one a line, without semicolons; values that look like secrets are '***'
-- @column removal text the statements that drop it, one a line
-- @column owner text?
-- @column acl text? of languages, foreign data wrappers and servers; as that of tables
-- @column comment text?
-- @server 14+
WITH spaces AS (
    SELECT n.oid, pg_catalog.quote_ident(n.nspname) || '.' AS prefix
      FROM pg_catalog.pg_namespace AS n
     WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
), found (classid, oid, kind, name, definition, owner, letter, acl) AS (
    SELECT m.tableoid, m.oid, 'access method', pg_catalog.quote_ident(m.amname),
           pg_catalog.format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', m.amname,
               CASE m.amtype WHEN 't' THEN 'TABLE' ELSE 'INDEX' END, m.amhandler),
           0::oid, NULL::"char", NULL::aclitem[]
      FROM pg_catalog.pg_am AS m WHERE m.oid >= 16384
    UNION ALL
    SELECT c.tableoid, c.oid, 'cast', x.name,
           pg_catalog.concat('CREATE CAST ', x.name, CASE c.castmethod
               WHEN 'f' THEN ' WITH FUNCTION ' || c.castfunc::pg_catalog.regprocedure::text
               WHEN 'i' THEN ' WITH INOUT' ELSE ' WITHOUT FUNCTION' END,
               CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END),
           0, NULL, NULL
      FROM pg_catalog.pg_cast AS c
     CROSS JOIN LATERAL (
        SELECT pg_catalog.format('(%s AS %s)', pg_catalog.format_type(c.castsource, NULL),
                                 pg_catalog.format_type(c.casttarget, NULL))) AS x (name)
     WHERE c.oid >= 16384
       -- The cast of a range to its multirange comes with the type.
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS i
                        WHERE i.classid = c.tableoid AND i.objid = c.oid AND i.deptype = 'i')
    UNION ALL
    -- The members have other names in other majors: colliculocale became colllocale.
    SELECT l.tableoid, l.oid, 'collation', s.prefix || pg_catalog.quote_ident(l.collname),
           pg_catalog.concat('CREATE COLLATION ', s.prefix, pg_catalog.quote_ident(l.collname),
               ' (provider = ', CASE l.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin'
                                                    ELSE 'libc' END,
               CASE WHEN NOT l.collisdeterministic THEN ', deterministic = false' END,
               CASE WHEN l.collprovider = 'c' OR x.locale IS NULL
                    THEN ', lc_collate = ' || pg_catalog.quote_literal(l.collcollate)
                         || ', lc_ctype = ' || pg_catalog.quote_literal(l.collctype)
                    ELSE ', locale = ' || pg_catalog.quote_literal(x.locale) END,
               ', rules = ' || pg_catalog.quote_literal(x.rules), ')'),
           l.collowner, NULL, NULL
      FROM pg_catalog.pg_collation AS l
      JOIN spaces AS s ON s.oid = l.collnamespace
     CROSS JOIN LATERAL (
        SELECT COALESCE(j.row ->> 'colllocale', j.row ->> 'colliculocale',
                        CASE WHEN l.collprovider = 'i' THEN l.collcollate END),
               j.row ->> 'collicurules'
          FROM (SELECT pg_catalog.to_jsonb(l)) AS j (row)) AS x (locale, rules)
    UNION ALL
    SELECT v.tableoid, v.oid, 'conversion', s.prefix || pg_catalog.quote_ident(v.conname),
           pg_catalog.format('CREATE %sCONVERSION %s%I FOR %L TO %L FROM %s',
               CASE WHEN v.condefault THEN 'DEFAULT ' END, s.prefix, v.conname,
               pg_catalog.pg_encoding_to_char(v.conforencoding),
               pg_catalog.pg_encoding_to_char(v.contoencoding), v.conproc),
           v.conowner, NULL, NULL
      FROM pg_catalog.pg_conversion AS v JOIN spaces AS s ON s.oid = v.connamespace
    UNION ALL
    SELECT t.tableoid, t.oid, 'event trigger', pg_catalog.quote_ident(t.evtname),
           pg_catalog.concat('CREATE EVENT TRIGGER ', pg_catalog.quote_ident(t.evtname), ' ON ',
               pg_catalog.quote_ident(t.evtevent),
               ' WHEN TAG IN (' || (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(x), ', '
                                                                 ORDER BY x COLLATE "C")
                                      FROM pg_catalog.unnest(t.evttags) AS x) || ')',
               ' EXECUTE FUNCTION ', t.evtfoid::pg_catalog.regproc::text, '()',
               E'\nALTER EVENT TRIGGER ' || pg_catalog.quote_ident(t.evtname)
                   || CASE t.evtenabled WHEN 'D' THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA'
                                        WHEN 'A' THEN ' ENABLE ALWAYS' END),
           t.evtowner, NULL, NULL
      FROM pg_catalog.pg_event_trigger AS t
    UNION ALL
    SELECT w.tableoid, w.oid, 'foreign data wrapper', pg_catalog.quote_ident(w.fdwname),
           pg_catalog.concat('CREATE FOREIGN DATA WRAPPER ', pg_catalog.quote_ident(w.fdwname),
               ' HANDLER ' || CASE WHEN w.fdwhandler <> 0
                                   THEN w.fdwhandler::pg_catalog.regproc::text END,
               ' VALIDATOR ' || CASE WHEN w.fdwvalidator <> 0
                                     THEN w.fdwvalidator::pg_catalog.regproc::text END,
               ' OPTIONS (' || (
                   SELECT pg_catalog.string_agg(pg_catalog.format('%I %L', o.option_name,
                              CASE WHEN o.option_name ~* 'pass|secret|token|key' THEN '***'
                                   ELSE o.option_value END), ', ' ORDER BY o.option_name COLLATE "C")
                     FROM pg_catalog.pg_options_to_table(w.fdwoptions) AS o) || ')'),
           w.fdwowner, 'F', w.fdwacl
      FROM pg_catalog.pg_foreign_data_wrapper AS w
    UNION ALL
    SELECT v.tableoid, v.oid, 'server', pg_catalog.quote_ident(v.srvname),
           pg_catalog.concat('CREATE SERVER ', pg_catalog.quote_ident(v.srvname),
               ' TYPE ' || pg_catalog.quote_literal(v.srvtype),
               ' VERSION ' || pg_catalog.quote_literal(v.srvversion),
               ' FOREIGN DATA WRAPPER ', pg_catalog.quote_ident(w.fdwname),
               ' OPTIONS (' || (
                   SELECT pg_catalog.string_agg(pg_catalog.format('%I %L', o.option_name,
                              CASE WHEN o.option_name ~* 'pass|secret|token|key' THEN '***'
                                   ELSE o.option_value END), ', ' ORDER BY o.option_name COLLATE "C")
                     FROM pg_catalog.pg_options_to_table(v.srvoptions) AS o) || ')'),
           v.srvowner, 'S', v.srvacl
      FROM pg_catalog.pg_foreign_server AS v
      JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid = v.srvfdw
    UNION ALL
    SELECT 'pg_catalog.pg_user_mapping'::pg_catalog.regclass, u.umid, 'user mapping', x.name,
           pg_catalog.concat('CREATE USER MAPPING ', x.name,
               ' OPTIONS (' || (
                   SELECT pg_catalog.string_agg(pg_catalog.format('%I %L', o.option_name,
                              CASE WHEN o.option_name ~* 'pass|secret|token|key' THEN '***'
                                   ELSE o.option_value END), ', ' ORDER BY o.option_name COLLATE "C")
                     FROM pg_catalog.pg_options_to_table(u.umoptions) AS o) || ')'),
           0, NULL, NULL
      FROM pg_catalog.pg_user_mappings AS u
     CROSS JOIN LATERAL (
        SELECT pg_catalog.format('FOR %s SERVER %I',
                   CASE WHEN u.umuser = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(u.usename) END,
                   u.srvname)) AS x (name)
    UNION ALL
    SELECT l.tableoid, l.oid, 'language', pg_catalog.quote_ident(l.lanname),
           pg_catalog.concat('CREATE ', CASE WHEN l.lanpltrusted THEN 'TRUSTED ' END, 'LANGUAGE ',
               pg_catalog.quote_ident(l.lanname),
               ' HANDLER ', l.lanplcallfoid::pg_catalog.regproc::text,
               ' INLINE ' || CASE WHEN l.laninline <> 0
                                  THEN l.laninline::pg_catalog.regproc::text END,
               ' VALIDATOR ' || CASE WHEN l.lanvalidator <> 0
                                     THEN l.lanvalidator::pg_catalog.regproc::text END),
           l.lanowner, 'l', l.lanacl
      FROM pg_catalog.pg_language AS l WHERE l.oid >= 16384
    UNION ALL
    SELECT o.tableoid, o.oid, 'operator',
           pg_catalog.concat(s.prefix, o.oprname, '(',
               CASE WHEN o.oprleft = 0 THEN 'NONE'
                    ELSE pg_catalog.format_type(o.oprleft, NULL) END, ', ',
               pg_catalog.format_type(o.oprright, NULL), ')'),
           pg_catalog.concat('CREATE OPERATOR ', s.prefix, o.oprname, ' (', pg_catalog.concat_ws(
               ', ', 'FUNCTION = ' || o.oprcode::text,
               'LEFTARG = ' || CASE WHEN o.oprleft <> 0
                                    THEN pg_catalog.format_type(o.oprleft, NULL) END,
               'RIGHTARG = ' || pg_catalog.format_type(o.oprright, NULL),
               'COMMUTATOR = ' || (
                   SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, p.oprname)
                     FROM pg_catalog.pg_operator AS p
                     JOIN pg_catalog.pg_namespace AS n ON n.oid = p.oprnamespace
                    WHERE p.oid = o.oprcom),
               'NEGATOR = ' || (
                   SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, p.oprname)
                     FROM pg_catalog.pg_operator AS p
                     JOIN pg_catalog.pg_namespace AS n ON n.oid = p.oprnamespace
                    WHERE p.oid = o.oprnegate),
               'RESTRICT = ' || CASE WHEN o.oprrest <> 0 THEN o.oprrest::text END,
               'JOIN = ' || CASE WHEN o.oprjoin <> 0 THEN o.oprjoin::text END,
               CASE WHEN o.oprcanhash THEN 'HASHES' END,
               CASE WHEN o.oprcanmerge THEN 'MERGES' END), ')'),
           o.oprowner, NULL, NULL
      FROM pg_catalog.pg_operator AS o JOIN spaces AS s ON s.oid = o.oprnamespace
     WHERE o.oprcode <> 0
    UNION ALL
    SELECT x.tableoid, x.oid, 'operator class',
           pg_catalog.concat(s.prefix, pg_catalog.quote_ident(x.opcname), ' USING ',
                             pg_catalog.quote_ident(m.amname)),
           pg_catalog.concat('CREATE OPERATOR CLASS ', s.prefix,
               pg_catalog.quote_ident(x.opcname), CASE WHEN x.opcdefault THEN ' DEFAULT' END,
               ' FOR TYPE ', pg_catalog.format_type(x.opcintype, NULL), ' USING ',
               pg_catalog.quote_ident(m.amname), ' FAMILY ',
               pg_catalog.format('%I.%I', fn.nspname, f.opfname), ' AS ',
               pg_catalog.concat_ws(', ',
                   'STORAGE ' || CASE WHEN x.opckeytype <> 0 OR p.members IS NULL THEN
                       pg_catalog.format_type(
                           COALESCE(NULLIF(x.opckeytype, 0), x.opcintype), NULL) END,
                   p.members)),
           x.opcowner, NULL, NULL
      FROM pg_catalog.pg_opclass AS x
      JOIN spaces AS s ON s.oid = x.opcnamespace
      JOIN pg_catalog.pg_am AS m ON m.oid = x.opcmethod
      JOIN pg_catalog.pg_opfamily AS f ON f.oid = x.opcfamily
      JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.opfnamespace
     CROSS JOIN LATERAL (
        SELECT pg_catalog.string_agg(y.text, ', ' ORDER BY y.text COLLATE "C") AS members
          FROM (SELECT pg_catalog.concat('OPERATOR ', a.amopstrategy, ' ',
                           a.amopopr::pg_catalog.regoperator, ' FOR ORDER BY '
                           || (SELECT pg_catalog.format('%I.%I', n.nspname, z.opfname)
                                 FROM pg_catalog.pg_opfamily AS z
                                 JOIN pg_catalog.pg_namespace AS n ON n.oid = z.opfnamespace
                                WHERE z.oid = a.amopsortfamily))
                  FROM pg_catalog.pg_depend AS d
                  JOIN pg_catalog.pg_amop AS a ON a.oid = d.objid AND a.tableoid = d.classid
                 WHERE d.refclassid = x.tableoid AND d.refobjid = x.oid AND d.deptype = 'i'
                UNION ALL
                SELECT pg_catalog.concat('FUNCTION ', a.amprocnum, ' (',
                           pg_catalog.format_type(a.amproclefttype, NULL), ', ',
                           pg_catalog.format_type(a.amprocrighttype, NULL), ') ',
                           a.amproc::pg_catalog.regprocedure)
                  FROM pg_catalog.pg_depend AS d
                  JOIN pg_catalog.pg_amproc AS a ON a.oid = d.objid AND a.tableoid = d.classid
                 WHERE d.refclassid = x.tableoid AND d.refobjid = x.oid AND d.deptype = 'i')
               AS y (text)) AS p
    UNION ALL
    -- With the members that no operator class has brought in.
    SELECT f.tableoid, f.oid, 'operator family', x.name,
           pg_catalog.concat('CREATE OPERATOR FAMILY ', x.name,
               E'\nALTER OPERATOR FAMILY ' || x.name || ' ADD ' || p.members),
           f.opfowner, NULL, NULL
      FROM pg_catalog.pg_opfamily AS f
      JOIN spaces AS s ON s.oid = f.opfnamespace
      JOIN pg_catalog.pg_am AS m ON m.oid = f.opfmethod
     CROSS JOIN LATERAL (
        SELECT pg_catalog.concat(s.prefix, pg_catalog.quote_ident(f.opfname), ' USING ',
                                 pg_catalog.quote_ident(m.amname))) AS x (name)
     CROSS JOIN LATERAL (
        SELECT pg_catalog.string_agg(y.text, ', ' ORDER BY y.text COLLATE "C") AS members
          FROM (SELECT pg_catalog.concat('OPERATOR ', a.amopstrategy, ' ',
                           a.amopopr::pg_catalog.regoperator, ' FOR ORDER BY '
                           || (SELECT pg_catalog.format('%I.%I', n.nspname, z.opfname)
                                 FROM pg_catalog.pg_opfamily AS z
                                 JOIN pg_catalog.pg_namespace AS n ON n.oid = z.opfnamespace
                                WHERE z.oid = a.amopsortfamily))
                  FROM pg_catalog.pg_depend AS d
                  JOIN pg_catalog.pg_amop AS a ON a.oid = d.objid AND a.tableoid = d.classid
                 WHERE d.refclassid = f.tableoid AND d.refobjid = f.oid
                UNION ALL
                SELECT pg_catalog.concat('FUNCTION ', a.amprocnum, ' (',
                           pg_catalog.format_type(a.amproclefttype, NULL), ', ',
                           pg_catalog.format_type(a.amprocrighttype, NULL), ') ',
                           a.amproc::pg_catalog.regprocedure)
                  FROM pg_catalog.pg_depend AS d
                  JOIN pg_catalog.pg_amproc AS a ON a.oid = d.objid AND a.tableoid = d.classid
                 WHERE d.refclassid = f.tableoid AND d.refobjid = f.oid) AS y (text)) AS p
    UNION ALL
    SELECT t.tableoid, t.oid, 'text search parser', s.prefix || pg_catalog.quote_ident(t.prsname),
           pg_catalog.concat('CREATE TEXT SEARCH PARSER ', s.prefix,
               pg_catalog.quote_ident(t.prsname), ' (START = ', t.prsstart::text, ', GETTOKEN = ',
               t.prstoken::text, ', END = ', t.prsend::text,
               ', HEADLINE = ' || CASE WHEN t.prsheadline <> 0 THEN t.prsheadline::text END,
               ', LEXTYPES = ', t.prslextype::text, ')'),
           0, NULL, NULL
      FROM pg_catalog.pg_ts_parser AS t JOIN spaces AS s ON s.oid = t.prsnamespace
    UNION ALL
    SELECT t.tableoid, t.oid, 'text search template',
           s.prefix || pg_catalog.quote_ident(t.tmplname),
           pg_catalog.concat('CREATE TEXT SEARCH TEMPLATE ', s.prefix,
               pg_catalog.quote_ident(t.tmplname), ' (',
               'INIT = ' || CASE WHEN t.tmplinit <> 0 THEN t.tmplinit::text END
                         || ', ', 'LEXIZE = ', t.tmpllexize::text, ')'),
           0, NULL, NULL
      FROM pg_catalog.pg_ts_template AS t JOIN spaces AS s ON s.oid = t.tmplnamespace
    UNION ALL
    SELECT t.tableoid, t.oid, 'text search dictionary',
           s.prefix || pg_catalog.quote_ident(t.dictname),
           pg_catalog.concat('CREATE TEXT SEARCH DICTIONARY ', s.prefix,
               pg_catalog.quote_ident(t.dictname), ' (TEMPLATE = ',
               pg_catalog.format('%I.%I', n.nspname, m.tmplname), ', ' || t.dictinitoption, ')'),
           t.dictowner, NULL, NULL
      FROM pg_catalog.pg_ts_dict AS t
      JOIN spaces AS s ON s.oid = t.dictnamespace
      JOIN pg_catalog.pg_ts_template AS m ON m.oid = t.dicttemplate
      JOIN pg_catalog.pg_namespace AS n ON n.oid = m.tmplnamespace
    UNION ALL
    SELECT t.tableoid, t.oid, 'text search configuration', x.name,
           pg_catalog.concat('CREATE TEXT SEARCH CONFIGURATION ', x.name, ' (PARSER = ',
               pg_catalog.format('%I.%I', n.nspname, p.prsname), ')', (
               SELECT pg_catalog.string_agg(
                          pg_catalog.format(E'\nALTER TEXT SEARCH CONFIGURATION %s ADD MAPPING'
                                            ' FOR %I WITH %s', x.name, k.alias, k.dictionaries),
                          '' ORDER BY k.alias COLLATE "C")
                 FROM (SELECT y.alias, pg_catalog.string_agg(
                                  pg_catalog.format('%I.%I', dn.nspname, d.dictname), ', '
                                  ORDER BY w.mapseqno) AS dictionaries
                         FROM pg_catalog.pg_ts_config_map AS w
                         JOIN pg_catalog.pg_ts_dict AS d ON d.oid = w.mapdict
                         JOIN pg_catalog.pg_namespace AS dn ON dn.oid = d.dictnamespace
                         JOIN pg_catalog.ts_token_type(t.cfgparser) AS y
                           ON y.tokid = w.maptokentype
                        WHERE w.mapcfg = t.oid
                        GROUP BY y.alias) AS k)),
           t.cfgowner, NULL, NULL
      FROM pg_catalog.pg_ts_config AS t
      JOIN spaces AS s ON s.oid = t.cfgnamespace
      JOIN pg_catalog.pg_ts_parser AS p ON p.oid = t.cfgparser
      JOIN pg_catalog.pg_namespace AS n ON n.oid = p.prsnamespace
     CROSS JOIN LATERAL (SELECT s.prefix || pg_catalog.quote_ident(t.cfgname)) AS x (name)
    UNION ALL
    SELECT t.tableoid, t.oid, 'transform', x.name,
           pg_catalog.concat('CREATE TRANSFORM ', x.name, ' (', pg_catalog.concat_ws(', ',
               'FROM SQL WITH FUNCTION ' || CASE WHEN t.trffromsql <> 0
                   THEN t.trffromsql::pg_catalog.regprocedure::text END,
               'TO SQL WITH FUNCTION ' || CASE WHEN t.trftosql <> 0
                   THEN t.trftosql::pg_catalog.regprocedure::text END), ')'),
           0, NULL, NULL
      FROM pg_catalog.pg_transform AS t
      JOIN pg_catalog.pg_language AS l ON l.oid = t.trflang
     CROSS JOIN LATERAL (
        SELECT pg_catalog.format('FOR %s LANGUAGE %I', pg_catalog.format_type(t.trftype, NULL),
                                 l.lanname)) AS x (name)
), privileges AS (
    SELECT d.tableoid, d.oid,
           pg_catalog.concat('FOR ROLE ', pg_catalog.quote_ident(
                   pg_catalog.pg_get_userbyid(d.defaclrole)),
               ' IN SCHEMA ' || pg_catalog.quote_ident(n.nspname)) AS whose,
           CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
                WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS'
                ELSE 'LARGE OBJECTS' END AS what,
           d.defaclacl AS given,
           -- What would be the default: of a schema's entry nothing, it is added.
           CASE WHEN d.defaclnamespace = 0
                THEN pg_catalog.acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's'
                                           ELSE d.defaclobjtype END, d.defaclrole)
                END AS standard
      FROM pg_catalog.pg_default_acl AS d
      LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
     WHERE n.nspname IS NULL OR n.nspname <> 'pgmend'
), steps AS (
    SELECT p.oid, x.is_forth,
           pg_catalog.format('ALTER DEFAULT PRIVILEGES %s %s %s ON %s %s %s%s', p.whose,
               CASE WHEN x.gives THEN 'GRANT' ELSE 'REVOKE' END,
               pg_catalog.string_agg(x.privilege_type, ', '
                                     ORDER BY x.privilege_type COLLATE "C"),
               p.what, CASE WHEN x.gives THEN 'TO' ELSE 'FROM' END,
               CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(
                        pg_catalog.pg_get_userbyid(x.grantee)) END,
               CASE WHEN x.gives AND x.is_grantable THEN ' WITH GRANT OPTION' END) AS statement
      FROM privileges AS p
     CROSS JOIN LATERAL (
        SELECT d.is_forth, d.gives, i.grantee, i.privilege_type, i.is_grantable
          FROM (VALUES (true, true, p.given, p.standard), (true, false, p.standard, p.given),
                       (false, true, p.standard, p.given), (false, false, p.given, p.standard))
               AS d (is_forth, gives, of, but)
         CROSS JOIN LATERAL (SELECT a.grantee, a.privilege_type, a.is_grantable
                               FROM pg_catalog.aclexplode(d.of) AS a
                             EXCEPT
                             SELECT a.grantee, a.privilege_type, a.is_grantable
                               FROM pg_catalog.aclexplode(d.but) AS a) AS i) AS x
     GROUP BY p.oid, p.whose, p.what, x.is_forth, x.gives, x.grantee, x.is_grantable
)
SELECT f.kind::text, f.name, f.definition,
       'DROP ' || pg_catalog.upper(f.kind) || ' ' || f.name,
       CASE WHEN f.owner <> 0 THEN pg_catalog.pg_get_userbyid(f.owner)::text END,
       CASE WHEN f.acl IS NOT NULL THEN NULLIF(
           pg_catalog.to_json(ARRAY(SELECT x::text FROM pg_catalog.unnest(f.acl) AS x
                                     ORDER BY x::text COLLATE "C"))::text,
           pg_catalog.to_json(ARRAY(SELECT x::text
                                      FROM pg_catalog.unnest(
                                           pg_catalog.acldefault(f.letter, f.owner)) AS x
                                     ORDER BY x::text COLLATE "C"))::text) END,
       d.description
  FROM found AS f
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = f.oid AND d.classoid = f.classid AND d.objsubid = 0
 WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = f.classid AND e.objid = f.oid AND e.deptype = 'e')
UNION ALL
SELECT 'default privileges', p.whose || ' ON ' || p.what,
       COALESCE((SELECT pg_catalog.string_agg(s.statement, E'\n' ORDER BY s.statement COLLATE "C" DESC)
                   FROM steps AS s WHERE s.oid = p.oid AND s.is_forth), ''),
       COALESCE((SELECT pg_catalog.string_agg(s.statement, E'\n' ORDER BY s.statement COLLATE "C" DESC)
                   FROM steps AS s WHERE s.oid = p.oid AND NOT s.is_forth), ''),
       NULL, NULL, NULL
  FROM privileges AS p
 WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = p.tableoid AND e.objid = p.oid AND e.deptype = 'e');
