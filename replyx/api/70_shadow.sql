-- What two variants of an endpoint have answered differently, for who puts the variant right. The answers are a user's:
-- replyx_api can add rows and read none, and there are never more than a thousand.

CREATE TABLE IF NOT EXISTS replyx_api.shadow_difference (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    found_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    endpoint text NOT NULL,
    user_id integer NOT NULL,
    args json NOT NULL,
    original text NOT NULL, -- the variant that is right
    flagged text NOT NULL,
    original_answer text NOT NULL,
    flagged_answer text NOT NULL
);
REVOKE ALL ON replyx_api.shadow_difference FROM PUBLIC, replyx_api;

CREATE OR REPLACE FUNCTION replyx_api.note_shadow_difference(
    endpoint pg_catalog.text, user_id pg_catalog.int4, args pg_catalog.json, original pg_catalog.text,
    flagged pg_catalog.text, original_answer pg_catalog.text, flagged_answer pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    most CONSTANT pg_catalog.int4 := 1000;
    added pg_catalog.int8;
BEGIN
    INSERT INTO replyx_api.shadow_difference AS d
           (endpoint, user_id, args, original, flagged, original_answer, flagged_answer)
    VALUES (left(note_shadow_difference.endpoint, 100), note_shadow_difference.user_id,
            CASE WHEN length(note_shadow_difference.args::text) <= 65536 THEN note_shadow_difference.args
                 ELSE '{}'::json END,
            left(note_shadow_difference.original, 100), left(note_shadow_difference.flagged, 100),
            left(note_shadow_difference.original_answer, 65536), left(note_shadow_difference.flagged_answer, 65536))
    RETURNING d.id INTO added;
    DELETE FROM replyx_api.shadow_difference AS d WHERE d.id <= added - most;
    RETURN added;
END
$function$;
REVOKE ALL ON FUNCTION replyx_api.note_shadow_difference(
    pg_catalog.text, pg_catalog.int4, pg_catalog.json, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replyx_api.note_shadow_difference(
    pg_catalog.text, pg_catalog.int4, pg_catalog.json, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text)
  TO replyx_api;
