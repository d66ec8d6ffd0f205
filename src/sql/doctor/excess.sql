-- What a role has in this database that none of these uses of pgmend needs, with the statement that takes it away.
-- @arg role text
-- @arg uses text names of uses with commas between them
-- @column statement text
-- @column why text
-- @server 14+
WITH wish AS (
    SELECT pg_catalog.string_to_array($2, ',') AS uses
), me AS (
    SELECT r.* FROM pg_catalog.pg_roles AS r WHERE r.rolname = $1::name
), tables AS (
    SELECT c.oid, c.relowner, c.relacl, c.relrowsecurity, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, n.nspname
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend', 'pg_toast')
), found (place, statement, why) AS (
    SELECT 1, pg_catalog.format('ALTER ROLE %I NOSUPERUSER;', m.rolname), 'a superuser may do everything, and nothing needs one'
      FROM me AS m, wish AS w
     WHERE m.rolsuper
       AND NOT ('bluegreen' = ANY (w.uses) AND pg_catalog.current_setting('server_version_num')::int4 < 160000)
    UNION ALL
    SELECT 2, pg_catalog.format('ALTER ROLE %I NOCREATEROLE;', m.rolname), 'pgmend makes no roles'
      FROM me AS m WHERE m.rolcreaterole
    UNION ALL
    SELECT 3, pg_catalog.format('ALTER ROLE %I NOCREATEDB;', m.rolname), 'no copy is made for these uses'
      FROM me AS m, wish AS w
     WHERE m.rolcreatedb AND NOT w.uses && '{backup,staging,restore,bluegreen}'::text[]
    UNION ALL
    SELECT 4, pg_catalog.format('ALTER ROLE %I NOREPLICATION;', m.rolname), 'who may replicate can read every byte'
      FROM me AS m, wish AS w WHERE m.rolreplication AND NOT 'bluegreen' = ANY (w.uses)
    UNION ALL
    SELECT 5, pg_catalog.format('ALTER ROLE %I NOBYPASSRLS;', m.rolname), 'row-level security would not hold for it'
      FROM me AS m, wish AS w
     WHERE m.rolbypassrls AND NOT (w.uses && '{backup,staging,bluegreen}'::text[]
           AND EXISTS (SELECT FROM tables AS t WHERE t.relrowsecurity))
    UNION ALL
    SELECT 6, pg_catalog.format('REVOKE %I FROM %I;', g.rolname, m.rolname),
           CASE WHEN g.rolsuper THEN 'its members are superusers whenever they want'
                WHEN g.rolname ~ '^pg_' THEN 'these uses do not need it'
                ELSE 'these uses change no table' END
      FROM me AS m
      JOIN pg_catalog.pg_auth_members AS a ON a.member = m.oid
      JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid
     CROSS JOIN wish AS w
     WHERE NOT (g.rolname IN ('pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables')
                AND w.uses && '{monitor,plan,apply,staging}'::text[])
       AND NOT (g.rolname = 'pg_read_all_data' AND w.uses && '{plan,backup,staging,bluegreen}'::text[])
       AND NOT (g.rolname = 'pg_create_subscription' AND 'bluegreen' = ANY (w.uses))
       AND NOT (NOT g.rolsuper AND g.rolname !~ '^pg_' AND w.uses && '{apply,restore,bluegreen}'::text[])
    UNION ALL
    SELECT 7, pg_catalog.format('ALTER TABLE %s OWNER TO a role of the application;', pg_catalog.min(t.name)),
           pg_catalog.format('it owns %s tables: row-level security does not hold for their owner', pg_catalog.count(*))
      FROM me AS m JOIN tables AS t ON t.relowner = m.oid, wish AS w
     WHERE NOT w.uses && '{apply,restore,bluegreen}'::text[]
    HAVING pg_catalog.count(*) > 0
    UNION ALL
    SELECT 8, pg_catalog.format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA %I FROM %I;',
               t.nspname, m.rolname),
           'these uses write no row of the application'
      FROM me AS m, wish AS w, tables AS t
     WHERE NOT m.rolsuper AND NOT w.uses && '{apply,restore,bluegreen,api}'::text[] AND t.relowner <> m.oid
       AND EXISTS (SELECT FROM pg_catalog.aclexplode(t.relacl) AS a
                    WHERE a.grantee = m.oid AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'))
     GROUP BY t.nspname, m.rolname
    UNION ALL
    SELECT 9, pg_catalog.format('REVOKE CREATE ON DATABASE %I FROM %I;', pg_catalog.current_database(), m.rolname),
           'these uses make no schema'
      FROM me AS m, wish AS w
     WHERE NOT m.rolsuper AND NOT w.uses && '{apply,restore,bluegreen}'::text[]
       AND EXISTS (SELECT FROM pg_catalog.pg_database AS d, pg_catalog.aclexplode(d.datacl) AS a
                    WHERE d.datname = pg_catalog.current_database()
                      AND a.grantee = m.oid AND a.privilege_type = 'CREATE')
)
SELECT f.statement, f.why FROM found AS f ORDER BY f.place, f.statement;
