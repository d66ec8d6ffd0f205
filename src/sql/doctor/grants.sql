-- What a role needs for each use of pgmend in this database, in the order in which it would be given, and what it has of it.
-- Objects of extensions are left out; owners that are superusers are told apart, because nobody gets their rights.
-- @arg role text
-- @arg uses text names of uses with commas between them
-- @column use text "template": once for all roles, and last, because psql leaves the database for it
-- @column statement text what gives it; a comment when no statement could
-- @column why text
-- @column is_had bool
-- @column needs_superuser bool the statement does, not the role
-- @server 14+
WITH me AS (
    SELECT r.oid, r.rolsuper, r.rolcanlogin, r.rolcreatedb, r.rolreplication, r.rolbypassrls
      FROM (SELECT) AS one
      LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = $1::name
), here AS (
    SELECT d.datname, d.datdba, d.encoding, d.datcollate, d.datctype,
           coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
           coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale') AS locale,
           pg_catalog.current_setting('server_version_num')::int4 / 10000 AS major
      FROM pg_catalog.pg_database AS d
     WHERE d.datname = pg_catalog.current_database()
), tables AS (
    SELECT c.oid, c.relowner, c.relrowsecurity, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
           n.nspname
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend', 'pg_toast')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND d.objid = c.oid AND d.deptype = 'e')
), owners AS (
    SELECT o.rolname, o.oid, o.rolsuper, pg_catalog.count(*) AS count, pg_catalog.min(t.name) AS example
      FROM tables AS t
      JOIN pg_catalog.pg_roles AS o ON o.oid = t.relowner
     GROUP BY o.rolname, o.oid, o.rolsuper
), space AS (
    SELECT n.nspowner, o.rolname, o.rolsuper
      FROM (SELECT) AS one
      LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'pgmend'
      LEFT JOIN pg_catalog.pg_roles AS o ON o.oid = n.nspowner
), untrusted AS (
    SELECT pg_catalog.string_agg(
               pg_catalog.format('%s CREATE EXTENSION %I%s;',
                   CASE WHEN n.nspname NOT IN ('public', 'pg_catalog')
                        THEN pg_catalog.format(' CREATE SCHEMA IF NOT EXISTS %I;', n.nspname) ELSE '' END,
                   e.extname,
                   CASE WHEN v.relocatable THEN pg_catalog.format(' SCHEMA %I', n.nspname) ELSE '' END),
               '' ORDER BY e.oid) AS statements,
           pg_catalog.string_agg(e.extname, ', ' ORDER BY e.extname) AS names
      FROM pg_catalog.pg_extension AS e
      JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
      LEFT JOIN pg_catalog.pg_available_extension_versions AS v
        ON v.name = e.extname AND v.version = e.extversion
     WHERE e.extname <> 'plpgsql' AND NOT coalesce(v.trusted, false)
), needs (uses, place, statement, why, is_had, needs_superuser) AS (
    SELECT NULL::text[], 1, pg_catalog.format('CREATE ROLE %I LOGIN;', $1::name),
           'a role of its own for each use: what one is for, another need not be able to do', m.oid IS NOT NULL, false
      FROM me AS m
    UNION ALL
    SELECT NULL, 2, pg_catalog.format('ALTER ROLE %I LOGIN;', $1::name), 'pgmend connects as it', m.rolcanlogin, false
      FROM me AS m WHERE m.oid IS NOT NULL
    UNION ALL
    SELECT NULL, 3, pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I;', h.datname, $1::name), 'pgmend connects here',
           pg_catalog.has_database_privilege(m.oid, h.datname::text, 'CONNECT'), false
      FROM me AS m, here AS h
    UNION ALL
    SELECT '{monitor,plan,apply,staging}', 10, pg_catalog.format('GRANT %I TO %I;', p.rolname, $1::name),
           'sessions, statements and settings of everybody, sizes of files', pg_catalog.pg_has_role(m.oid, p.oid, 'USAGE'), false
      FROM me AS m, pg_catalog.pg_roles AS p WHERE p.rolname = 'pg_monitor'
    UNION ALL
    SELECT '{plan,backup,staging,bluegreen}', 11, pg_catalog.format('GRANT %I TO %I;', p.rolname, $1::name),
           'rows are sampled, copied and compared, and statements explained; it gives no right to write',
           pg_catalog.pg_has_role(m.oid, p.oid, 'USAGE'), false
      FROM me AS m, pg_catalog.pg_roles AS p WHERE p.rolname = 'pg_read_all_data'
    UNION ALL
    SELECT '{plan,apply}', 12, pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO %I;', h.datname, $1::name),
           'a statement is tried on an empty temporary copy of its table, which is rolled back',
           pg_catalog.has_database_privilege(m.oid, h.datname::text, 'TEMPORARY'), false
      FROM me AS m, here AS h
    UNION ALL
    SELECT '{apply,restore,bluegreen}', 20,
           CASE WHEN o.rolsuper
                THEN pg_catalog.format('-- ALTER TABLE %s OWNER TO a role of the application that is no superuser', o.example)
                ELSE pg_catalog.format('GRANT %I TO %I;', o.rolname, $1::name) END,
           pg_catalog.format('only an owner may change or publish a table; %s owns %s of them', o.rolname, o.count)
               || CASE WHEN o.rolsuper THEN ' and is a superuser: to be a member of it would be to be one' ELSE '' END,
           pg_catalog.pg_has_role(m.oid, o.oid, 'USAGE'), false
      FROM me AS m, owners AS o
    UNION ALL
    SELECT '{apply}', 30,
           CASE WHEN s.nspowner IS NULL THEN pg_catalog.format('CREATE SCHEMA pgmend AUTHORIZATION %I;', $1::name)
                WHEN s.rolsuper THEN '-- as ' || pg_catalog.quote_ident(s.rolname) || ': pgmend uninstall; then this again'
                ELSE pg_catalog.format('GRANT %I TO %I;', s.rolname, $1::name) END,
           CASE WHEN s.rolsuper THEN 'journal, gates and measurements belong to a superuser'
                ELSE 'journal, gates and measurements are in it' END,
           s.nspowner IS NOT NULL AND pg_catalog.pg_has_role(m.oid, s.nspowner, 'USAGE'), false
      FROM me AS m, space AS s
    UNION ALL
    SELECT '{staging}', 31,
           CASE WHEN pg_catalog.to_regclass('pgmend.journal') IS NULL
                THEN '-- first "pgmend gate pass" by the role that applies, so that the tables are its own; then this again'
                ELSE pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA pgmend TO %I;', $1::name) END,
           'a rehearsal is recorded in schema pgmend, as a gate',
           pg_catalog.to_regclass('pgmend.journal') IS NOT NULL AND pg_catalog.has_schema_privilege(m.oid, 'pgmend', 'USAGE')
               AND pg_catalog.has_schema_privilege(m.oid, 'pgmend', 'CREATE'), false
      FROM me AS m, space AS s
    UNION ALL
    SELECT '{staging}', 32,
           pg_catalog.format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgmend TO %I;', $1::name),
           'the same; a default privilege would stop every restore by a role that is no superuser',
           NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                        WHERE c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'pgmend')
                          AND c.relkind IN ('r', 'p')
                          AND NOT (pg_catalog.has_table_privilege(m.oid, c.oid, 'SELECT')
                               AND pg_catalog.has_table_privilege(m.oid, c.oid, 'INSERT')
                               AND pg_catalog.has_table_privilege(m.oid, c.oid, 'UPDATE')
                               AND pg_catalog.has_table_privilege(m.oid, c.oid, 'DELETE')))
               AND m.oid IS NOT NULL, false
      FROM me AS m, space AS s WHERE pg_catalog.to_regclass('pgmend.journal') IS NOT NULL
    UNION ALL
    SELECT '{backup,staging,restore,bluegreen}', 40, pg_catalog.format('ALTER ROLE %I CREATEDB;', $1::name),
           'copies are databases of their own; a backup is proven by restoring it into one', m.rolcreatedb, false
      FROM me AS m
    UNION ALL
    SELECT '{backup,staging,bluegreen}', 41, pg_catalog.format('ALTER ROLE %I BYPASSRLS;', $1::name),
           pg_catalog.format('%s has row-level security: who is subject to it would copy a part of the rows',
               (SELECT pg_catalog.min(t.name) FROM tables AS t WHERE t.relrowsecurity)),
           m.rolbypassrls, h.major < 16
      FROM me AS m, here AS h WHERE EXISTS (SELECT FROM tables AS t WHERE t.relrowsecurity)
    UNION ALL
    SELECT '{backup,staging,restore}', 42,
           pg_catalog.format('CREATE DATABASE pgmend_template TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L%s '
               'IS_TEMPLATE true;', pg_catalog.pg_encoding_to_char(h.encoding), h.datcollate, h.datctype,
               CASE h.provider WHEN 'i' THEN pg_catalog.format(' LOCALE_PROVIDER icu ICU_LOCALE %L', h.locale)
                               WHEN 'b' THEN pg_catalog.format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', h.locale)
                               ELSE '' END),
           'copies are made from it (--scratch-template pgmend_template): only a superuser may create extensions that are not '
               || 'trusted, and here are ' || u.names,
           EXISTS (SELECT FROM pg_catalog.pg_database AS d WHERE d.datname = 'pgmend_template' AND d.datistemplate), true
      FROM here AS h, untrusted AS u WHERE u.names IS NOT NULL
    UNION ALL
    SELECT '{backup,staging,restore}', 43,
           E'\\connect pgmend_template\n' || pg_catalog.ltrim(u.statements),
           'the same extensions, in the same schemas',
           EXISTS (SELECT FROM pg_catalog.pg_database AS d WHERE d.datname = 'pgmend_template' AND d.datistemplate), true
      FROM here AS h, untrusted AS u WHERE u.names IS NOT NULL
    UNION ALL
    SELECT '{restore}', 50,
           CASE WHEN o.rolsuper
                THEN pg_catalog.format('-- ALTER DATABASE %I OWNER TO a role of the application that is no superuser', h.datname)
                ELSE pg_catalog.format('GRANT %I TO %I;', o.rolname, $1::name) END,
           'databases are exchanged by their owner: rollback --level database', pg_catalog.pg_has_role(m.oid, o.oid, 'USAGE'),
           false
      FROM me AS m, here AS h JOIN pg_catalog.pg_roles AS o ON o.oid = h.datdba
     WHERE NOT EXISTS (SELECT FROM owners AS w WHERE w.oid = o.oid)
    UNION ALL
    SELECT '{bluegreen}', 60, pg_catalog.format('ALTER ROLE %I REPLICATION;', $1::name),
           'logical replication slots', m.rolreplication, h.major < 16
      FROM me AS m, here AS h
    UNION ALL
    SELECT '{bluegreen}', 61, pg_catalog.format('GRANT CREATE ON DATABASE %I TO %I;', h.datname, $1::name),
           'publications are objects of the database', pg_catalog.has_database_privilege(m.oid, h.datname::text, 'CREATE'), false
      FROM me AS m, here AS h
    UNION ALL
    SELECT '{bluegreen}', 62,
           CASE WHEN p.oid IS NULL
                THEN pg_catalog.format('ALTER ROLE %I SUPERUSER; -- for as long as blue and green stand side by side', $1::name)
                ELSE pg_catalog.format('GRANT %I TO %I;', p.rolname, $1::name) END,
           CASE WHEN p.oid IS NULL THEN 'CREATE SUBSCRIPTION needs a superuser before PostgreSQL 16'
                ELSE 'subscriptions' END, CASE WHEN p.oid IS NULL THEN m.rolsuper ELSE pg_catalog.pg_has_role(m.oid, p.oid, 'USAGE') END,
           p.oid IS NULL
      FROM me AS m LEFT JOIN pg_catalog.pg_roles AS p ON p.rolname = 'pg_create_subscription'
    UNION ALL
    SELECT '{api}', 70, x.statement, x.why, x.is_had, false
      FROM me AS m
     CROSS JOIN LATERAL (
           SELECT pg_catalog.format('GRANT USAGE ON SCHEMA pgmend TO %I;', $1::name), 'the application follows its flags',
                  pg_catalog.has_schema_privilege(m.oid, 'pgmend', 'USAGE')
            WHERE pg_catalog.to_regclass('pgmend.flag') IS NOT NULL
           UNION ALL
           SELECT pg_catalog.format('GRANT SELECT ON pgmend.flag TO %I;', $1::name), 'and reads them',
                  pg_catalog.has_table_privilege(m.oid, pg_catalog.to_regclass('pgmend.flag')::oid, 'SELECT')
            WHERE pg_catalog.to_regclass('pgmend.flag') IS NOT NULL
           UNION ALL
           SELECT pg_catalog.format('GRANT EXECUTE ON FUNCTION pgmend.flag_off(text, text) TO %I;', $1::name),
                  'a wrong answer turns its flag off',
                  pg_catalog.has_function_privilege(m.oid,
                      pg_catalog.to_regprocedure('pgmend.flag_off(text, text)')::oid, 'EXECUTE')
            WHERE pg_catalog.to_regprocedure('pgmend.flag_off(text, text)') IS NOT NULL
           UNION ALL
           SELECT pg_catalog.format('-- pgmend flags set NAME --percent 0 --grant %I', $1::name),
                  'there are no flags yet: the first one makes their table, and grants it', false
            WHERE pg_catalog.to_regclass('pgmend.flag') IS NULL) AS x (statement, why, is_had)
)
SELECT CASE WHEN n.place IN (42, 43) THEN 'template' ELSE u.name END, n.statement, n.why,
       coalesce(n.is_had, false) OR (coalesce(m.rolsuper, false) AND n.place NOT IN (30, 42, 43, 70)), n.needs_superuser
  FROM me AS m, pg_catalog.string_to_table($2, ',') WITH ORDINALITY AS u (name, position), needs AS n
 WHERE n.uses IS NULL OR u.name = ANY (n.uses)
 ORDER BY n.place IN (42, 43), u.position, n.place, n.statement;
