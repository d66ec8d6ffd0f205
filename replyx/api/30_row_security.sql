-- Row-level security for replyx_api: whatever a query forgets, a user sees rows of his own only. Who is meant is
-- told by set_config('replyx.user_id', …, true), which ends with the transaction; without it there are no rows.
-- The tables' owner, who runs the rest of the application, is not bound by it.

-- An empty text is what a transaction-local setting leaves behind in its session.
CREATE OR REPLACE FUNCTION replyx_api.current_user_id()
RETURNS pg_catalog.int4
LANGUAGE sql STABLE PARALLEL SAFE
AS $function$
    SELECT NULLIF(pg_catalog.current_setting('replyx.user_id', true), '')::pg_catalog.int4;
$function$;
REVOKE ALL ON FUNCTION replyx_api.current_user_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replyx_api.current_user_id() TO replyx_api;

DO $do$
DECLARE
    owned text;
BEGIN
    FOREACH owned IN ARRAY ARRAY['assistants', 'bot_instances', 'balance_transactions', 'dialogs', 'documents',
                                 'knowledge_embeddings', 'user_balances', 'user_knowledge'] LOOP
        EXECUTE pg_catalog.format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE pg_catalog.format('DROP POLICY IF EXISTS replyx_api_owner ON public.%I', owned);
        EXECUTE pg_catalog.format(
            'CREATE POLICY replyx_api_owner ON public.%I FOR SELECT TO replyx_api'
            ' USING (user_id = (SELECT replyx_api.current_user_id()))', owned);
    END LOOP;
END
$do$;

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS replyx_api_owner ON public.users;
CREATE POLICY replyx_api_owner ON public.users FOR SELECT TO replyx_api
    USING (id = (SELECT replyx_api.current_user_id()));

-- Messages belong to whom their dialog belongs to. The planner looks the dialog up for few messages and makes a
-- table of all his dialogs for many.
ALTER TABLE public.dialog_messages ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS replyx_api_owner ON public.dialog_messages;
CREATE POLICY replyx_api_owner ON public.dialog_messages FOR SELECT TO replyx_api
    USING (EXISTS (SELECT FROM public.dialogs AS d
                    WHERE d.id = dialog_id AND d.user_id = (SELECT replyx_api.current_user_id())));

-- Row-level security holds for every role but the owner: others that read these tables need a policy of their own.
DO $do$
DECLARE
    other text;
BEGIN
    FOR other IN
        SELECT DISTINCT coalesce(r.rolname::text, 'PUBLIC')
          FROM pg_catalog.pg_class AS c
         CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
          LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
         WHERE c.relnamespace = 'public'::pg_catalog.regnamespace
           AND EXISTS (SELECT FROM pg_catalog.pg_policy AS p
                        WHERE p.polrelid = c.oid AND p.polname = 'replyx_api_owner')
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy AS p
                            WHERE p.polrelid = c.oid AND p.polname <> 'replyx_api_owner'
                              AND (a.grantee = ANY (p.polroles) OR 0 = ANY (p.polroles)))
           AND a.privilege_type = 'SELECT'
           AND a.grantee <> c.relowner
           AND coalesce(r.rolname::text, '') <> 'replyx_api'
           AND NOT coalesce(r.rolsuper OR r.rolbypassrls, false)
    LOOP
        RAISE WARNING '% may read tables that have row-level security now, and sees no rows in them any more', other
              USING HINT = 'CREATE POLICY everything ON … FOR SELECT TO … USING (true), for each table that it reads.';
    END LOOP;
END
$do$;
