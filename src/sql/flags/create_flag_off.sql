-- What a process that found a wrong answer may do without any right to the table: set a flag to 0. It
-- can only lower, and writes into the journal that it did.
-- @server 14+
CREATE OR REPLACE FUNCTION pgmend.flag_off(name pg_catalog.text, reason pg_catalog.text)
RETURNS pg_catalog.bool
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    id pg_catalog.text := pg_catalog.replace(pg_catalog.gen_random_uuid()::pg_catalog.text, '-', '');
    why pg_catalog.text := pg_catalog.left(flag_off.reason, 500);
    before pgmend.flag;
    now timestamptz := pg_catalog.clock_timestamp();
BEGIN
    SELECT f.* INTO before FROM pgmend.flag AS f WHERE f.name = flag_off.name FOR UPDATE;
    IF NOT FOUND OR (before.percent = 0 AND before.fallback = 0 AND before.shadow_ratio = 0) THEN
        RETURN false;
    END IF;
    UPDATE pgmend.flag AS f
       SET percent = 0, fallback = 0, until = NULL, shadow_ratio = 0, reason = why,
           changed_at = now, changed_by = SESSION_USER
     WHERE f.name = flag_off.name;
    INSERT INTO pgmend.run (id, command, state, actor, client, version, started_at, ended_at)
    VALUES (pg_catalog.left(id, 12), 'flag_off', 'done', SESSION_USER,
            pg_catalog.left(pg_catalog.current_setting('application_name'), 200), '', now, now);
    INSERT INTO pgmend.journal (entry, run, kind, object, statement, state, started_at, ended_at, detail)
    VALUES (pg_catalog.right(id, 16), pg_catalog.left(id, 12), 'flag off', flag_off.name,
            pg_catalog.format('SELECT pgmend.flag_off(%L, %L)', flag_off.name, why), 'done', now, now,
            pg_catalog.json_build_object('name', flag_off.name, 'reason', why,
                'before', pg_catalog.json_build_object('variant', before.variant,
                    'percent', before.percent, 'salt', before.salt,
                    'shadow_ratio', before.shadow_ratio, 'fallback', before.fallback)));
    PERFORM pg_catalog.pg_notify('pgmend_flag', flag_off.name);
    RETURN true;
END
$function$;
