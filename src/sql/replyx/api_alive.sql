-- Whether the database answers, and whether it has what "alembic upgrade head" and replyx/api/install put there.
-- @column role text who is connected
-- @column missing text? the first thing that is not there, or that this role may not use; NULL: nothing is missing
-- @column unbound text? why row-level security does not hold for this role; NULL: it does
-- @server 14+
SELECT current_user::text AS role,
       coalesce(
           (SELECT 'table public.' || w.name
              FROM (VALUES ('assistants'), ('bot_instances'), ('dialogs'), ('dialog_messages'), ('documents'),
                           ('knowledge_embeddings'), ('user_balances'), ('users')) AS w (name)
             WHERE NOT EXISTS (SELECT
                                 FROM pg_catalog.pg_class AS c
                                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                                WHERE n.nspname = 'public' AND c.relname = w.name AND c.relkind IN ('r', 'p')
                                  AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
             LIMIT 1),
           (SELECT 'function replyx_api.' || w.name
              FROM (VALUES ('login_user'), ('token_user'), ('is_active_user'), ('current_user_id'), ('search_chunks'),
                           ('cached_embedding'), ('telegram_receive'), ('count_since'),
                           ('note_shadow_difference')) AS w (name)
             WHERE NOT EXISTS (SELECT
                                 FROM pg_catalog.pg_proc AS p
                                 JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                                WHERE n.nspname = 'replyx_api' AND p.proname = w.name
                                  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                                  AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))
             LIMIT 1)) AS missing,
       CASE WHEN r.rolsuper THEN 'it is a superuser'
            WHEN r.rolbypassrls THEN 'it has BYPASSRLS'
            ELSE (SELECT CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE') AND NOT c.relforcerowsecurity
                              THEN 'it owns table public.' || c.relname::text || ', or is a member of the role that does'
                              ELSE 'it is not enabled for table public.' || c.relname::text
                          END
                    FROM pg_catalog.pg_class AS c
                    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                   WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
                     AND c.relname IN ('assistants', 'bot_instances', 'dialogs', 'dialog_messages', 'documents',
                                       'knowledge_embeddings', 'user_balances', 'users')
                     AND (NOT c.relrowsecurity
                          OR (pg_catalog.pg_has_role(c.relowner, 'USAGE') AND NOT c.relforcerowsecurity))
                   LIMIT 1)
        END AS unbound
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = current_user;
