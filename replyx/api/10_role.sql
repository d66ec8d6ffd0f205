-- The role that replyx-api connects as, and what it may touch: it owns nothing and row-level security holds for it.
-- A password is not set here: ALTER ROLE replyx_api PASSWORD … by psql's \password, and ~/.pgpass for replyx-api.

DO $do$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'replyx_api') THEN
        BEGIN
            CREATE ROLE replyx_api LOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- roles are the cluster's: an installation in another database was faster
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles
                WHERE rolname = 'replyx_api' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb
                                                  OR rolreplication OR NOT rolcanlogin)) THEN
        ALTER ROLE replyx_api LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c
                WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND c.relkind IN ('r', 'p')
                  AND pg_catalog.pg_has_role('replyx_api', c.relowner, 'MEMBER')) THEN
        RAISE EXCEPTION 'replyx_api owns tables of the application, or is a member of who does'
              USING HINT = 'Row-level security does not hold for owners. Give replyx_api no other role.';
    END IF;
END
$do$;

CREATE SCHEMA IF NOT EXISTS replyx_api;
REVOKE ALL ON SCHEMA replyx_api FROM PUBLIC;
GRANT USAGE ON SCHEMA public, replyx_api TO replyx_api;

-- What the endpoints read. Of users only what is shown to the user himself.
GRANT SELECT ON public.assistants, public.dialogs, public.dialog_messages, public.documents, public.user_knowledge,
                public.user_balances, public.balance_transactions TO replyx_api;
REVOKE ALL ON public.users, public.bot_instances, public.knowledge_embeddings FROM replyx_api;
GRANT SELECT (id, email) ON public.users TO replyx_api;
GRANT SELECT (id, user_id, assistant_id, platform, is_active, created_at) ON public.bot_instances TO replyx_api;
GRANT SELECT (id, user_id, assistant_id, doc_id, chunk_index, chunk_text, embedding, doc_type, importance, created_at)
   ON public.knowledge_embeddings TO replyx_api;

-- Which variant of an endpoint who gets, once "pgmend flags" has made the table.
DO $do$
BEGIN
    IF pg_catalog.to_regclass('pgmend.flag') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA pgmend TO replyx_api;
        GRANT SELECT ON pgmend.flag TO replyx_api;
        GRANT EXECUTE ON FUNCTION pgmend.flag_off(pg_catalog.text, pg_catalog.text) TO replyx_api;
    END IF;
END
$do$;
