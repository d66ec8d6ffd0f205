-- Signing in. Nobody is signed in yet when these are asked, so they run with their owner's rights and give away as
-- little as possible: one row for one address or digest. Their search_path is pinned.

CREATE TABLE IF NOT EXISTS replyx_api.api_token (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE CHECK (pg_catalog.length(digest) = 32), -- SHA-256; the token itself is kept nowhere
    user_id integer NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
REVOKE ALL ON replyx_api.api_token FROM PUBLIC, replyx_api;

-- The user of a password, for replyx-api.
CREATE OR REPLACE FUNCTION replyx_api.login_user(
    email pg_catalog.text, OUT user_id pg_catalog.int4, OUT hashed_password pg_catalog.text,
    OUT is_active pg_catalog.bool)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT u.id, u.hashed_password::pg_catalog.text, u.status::pg_catalog.text = 'active'
      FROM public.users AS u
     WHERE u.email = login_user.email;
$function$;

-- The user of an API token, for replyx-api; the digest is hexadecimal.
CREATE OR REPLACE FUNCTION replyx_api.token_user(digest pg_catalog.text)
RETURNS SETOF pg_catalog.int4
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT t.user_id
      FROM replyx_api.api_token AS t
      JOIN public.users AS u ON u.id = t.user_id
     WHERE t.digest = pg_catalog.decode(token_user.digest, 'hex')
       AND t.revoked_at IS NULL
       AND t.expires_at > pg_catalog.now()
       AND u.status::pg_catalog.text = 'active';
$function$;

-- Whether who has signed in is still there and not blocked, for replyx-api, which asks every few seconds.
CREATE OR REPLACE FUNCTION replyx_api.is_active_user(user_id pg_catalog.int4)
RETURNS pg_catalog.bool
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT EXISTS (SELECT FROM public.users AS u
                    WHERE u.id = is_active_user.user_id AND u.status::pg_catalog.text = 'active');
$function$;

-- For who administers the application: makes a token, which is shown this one time.
CREATE OR REPLACE FUNCTION replyx_api.create_token(
    user_id pg_catalog.int4, name pg_catalog.text, valid_for pg_catalog.interval DEFAULT '90 days')
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- Two random UUIDs have 244 random bits.
    token pg_catalog.text := 'rx_' || pg_catalog.replace(
        pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid()::text, '-', '');
BEGIN
    INSERT INTO replyx_api.api_token (digest, user_id, name, expires_at)
    VALUES (pg_catalog.sha256(pg_catalog.convert_to(token, 'UTF8')), create_token.user_id, create_token.name,
            pg_catalog.now() + create_token.valid_for);
    RETURN token;
END
$function$;

-- For who administers the application: ends a token, at the latest five seconds from now. False: there is none.
CREATE OR REPLACE FUNCTION replyx_api.revoke_token(token pg_catalog.text)
RETURNS pg_catalog.bool
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
    WITH ended AS (
        UPDATE replyx_api.api_token AS t
           SET revoked_at = coalesce(t.revoked_at, pg_catalog.now())
         WHERE t.digest = pg_catalog.sha256(pg_catalog.convert_to(revoke_token.token, 'UTF8'))
        RETURNING 1)
    SELECT EXISTS (SELECT FROM ended);
$function$;

REVOKE ALL ON FUNCTION replyx_api.login_user(text), replyx_api.token_user(text),
    replyx_api.is_active_user(integer), replyx_api.create_token(integer, text, interval), replyx_api.revoke_token(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replyx_api.login_user(text), replyx_api.token_user(text),
    replyx_api.is_active_user(integer) TO replyx_api;
