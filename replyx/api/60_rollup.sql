-- Counts by day, for GET /assistants/stats (variant "rollup"): how many messages a dialog's assistant sent, and
-- whether the dialog began. They are kept by triggers, in the transaction of the write itself, and are right at every
-- moment: whoever sees a message sees it counted.
--
-- Nothing is ever updated: a write adds a row with the difference (+1, -1), and a sum is what a reader makes of them.
-- So two writers never wait for each other and cannot deadlock, and a sum is right in every snapshot. Now and then
-- a write folds the rows of its assistant: those of one key become one row in one statement, without changing a sum.
--
-- A row has the user and the assistant that the dialog belonged to when it was written. When a dialog moves to others
-- or is deleted, its sums are taken away there and added here. A write of messages must not slip between, so it holds
-- a shared advisory lock (one of 64, by the dialog's id) until its transaction ends, and who moves or deletes dialogs
-- takes it alone. All locks are taken before the statement that reads, which therefore sees what was committed: that
-- holds in READ COMMITTED. In other isolation levels messages lock their dialogs FOR SHARE, and moving or deleting
-- dialogs is refused.

-- A long write must not make all that come after it wait for ours.
SET LOCAL lock_timeout = '10s';

CREATE TABLE IF NOT EXISTS replyx_api.assistant_daily_stats (
    user_id integer NOT NULL,
    day date NOT NULL,
    assistant_id integer NOT NULL, -- 0: the dialog has none
    dialog_id integer NOT NULL,
    messages integer NOT NULL, -- that the assistant sent
    dialogs integer NOT NULL   -- that began
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX IF NOT EXISTS assistant_daily_stats_user_day ON replyx_api.assistant_daily_stats (user_id, day)
    INCLUDE (assistant_id, dialog_id, messages, dialogs);
CREATE INDEX IF NOT EXISTS assistant_daily_stats_dialog ON replyx_api.assistant_daily_stats (dialog_id);

-- Whether the counts hold all rows there were before the triggers. Until then readers count the rows themselves.
CREATE TABLE IF NOT EXISTS replyx_api.rollup_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    is_complete boolean NOT NULL,
    filled_to integer NOT NULL DEFAULT 0 -- dialogs up to this one are counted
);
INSERT INTO replyx_api.rollup_state (is_complete) VALUES (false) ON CONFLICT DO NOTHING;

-- All locks, for what concerns any dialog: shared, or alone.
CREATE OR REPLACE FUNCTION replyx_api.rollup_lock_all(is_alone pg_catalog.bool)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    FOR class IN 0 .. 63 LOOP
        IF rollup_lock_all.is_alone THEN
            PERFORM pg_advisory_xact_lock(7250362, class);
        ELSE
            PERFORM pg_advisory_xact_lock_shared(7250362, class);
        END IF;
    END LOOP;
END
$function$;

-- Makes one row of all rows of a key, for what an assistant did lately. Rows that another folds are left to him.
CREATE OR REPLACE FUNCTION replyx_api.fold_rollup(
    user_id pg_catalog.int4, assistant_id pg_catalog.int4, since pg_catalog.date DEFAULT '-infinity')
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    WITH several AS (
        SELECT s.day, s.dialog_id
          FROM replyx_api.assistant_daily_stats AS s
         WHERE s.user_id = fold_rollup.user_id AND s.assistant_id = fold_rollup.assistant_id
           AND s.day >= fold_rollup.since
         GROUP BY s.day, s.dialog_id
        HAVING count(*) > 1
    ), taken AS (
        SELECT s.ctid AS place
          FROM replyx_api.assistant_daily_stats AS s
          JOIN several AS v ON v.day = s.day AND v.dialog_id = s.dialog_id
         WHERE s.user_id = fold_rollup.user_id AND s.assistant_id = fold_rollup.assistant_id
           AND s.day >= fold_rollup.since
           FOR UPDATE OF s SKIP LOCKED
    ), gone AS (
        DELETE FROM replyx_api.assistant_daily_stats AS s
         USING taken AS t
         WHERE s.ctid = t.place
        RETURNING s.day, s.dialog_id, s.messages, s.dialogs
    )
    INSERT INTO replyx_api.assistant_daily_stats (user_id, day, assistant_id, dialog_id, messages, dialogs)
    SELECT fold_rollup.user_id, g.day, fold_rollup.assistant_id, g.dialog_id, sum(g.messages), sum(g.dialogs)
      FROM gone AS g
     GROUP BY g.day, g.dialog_id
    HAVING sum(g.messages) <> 0 OR sum(g.dialogs) <> 0;
END
$function$;

-- ---- messages ----

-- Plans are kept by a session, which may have written very many rows first and then one by one: OFFSET 0 has each
-- dialog looked up by its id in both cases.
CREATE OR REPLACE FUNCTION replyx_api.rollup_messages()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
<<own>>
DECLARE
    added bigint;
    one record;
BEGIN
    -- The locks, in the order of their numbers; nothing to count, if there are none.
    IF TG_OP = 'INSERT' THEN
        PERFORM pg_advisory_xact_lock_shared(7250362, c.class)
           FROM (SELECT DISTINCT n.dialog_id & 63 AS class FROM new_rows AS n WHERE n.sender::text = 'assistant'
                  ORDER BY 1) AS c;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM pg_advisory_xact_lock_shared(7250362, c.class)
           FROM (SELECT DISTINCT o.dialog_id & 63 AS class FROM old_rows AS o WHERE o.sender::text = 'assistant'
                  ORDER BY 1) AS c;
    ELSE
        PERFORM pg_advisory_xact_lock_shared(7250362, c.class)
           FROM (SELECT o.dialog_id & 63 AS class FROM old_rows AS o WHERE o.sender::text = 'assistant'
                  UNION SELECT n.dialog_id & 63 FROM new_rows AS n WHERE n.sender::text = 'assistant'
                  ORDER BY 1) AS c;
    END IF;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- Fails when somebody has changed the dialog since our snapshot, which we cannot see.
        IF TG_OP <> 'INSERT' THEN
            PERFORM FROM public.dialogs AS d WHERE d.id IN (SELECT o.dialog_id FROM old_rows AS o)
              ORDER BY d.id FOR SHARE;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            PERFORM FROM public.dialogs AS d WHERE d.id IN (SELECT n.dialog_id FROM new_rows AS n)
              ORDER BY d.id FOR SHARE;
        END IF;
    END IF;
    -- A dialog that is not there any more has been, or will be, taken away by its own trigger.
    IF TG_OP = 'INSERT' THEN
        INSERT INTO replyx_api.assistant_daily_stats (user_id, day, assistant_id, dialog_id, messages, dialogs)
        SELECT d.user_id, c.day, d.assistant_id, c.dialog_id, c.messages, 0
          FROM (SELECT n.dialog_id, n.timestamp::date AS day, count(*) AS messages
                  FROM new_rows AS n WHERE n.sender::text = 'assistant'
                 GROUP BY 1, 2 OFFSET 0) AS c
         CROSS JOIN LATERAL (SELECT d.user_id, coalesce(d.assistant_id, 0) AS assistant_id
                               FROM public.dialogs AS d WHERE d.id = c.dialog_id OFFSET 0) AS d;
        GET DIAGNOSTICS own.added = ROW_COUNT;
        -- Every sixty-fourth write or so; by the clock, as random() belongs to the application.
        IF own.added <= 4 AND date_part('microseconds', clock_timestamp())::integer & 63 = 0
           AND current_setting('transaction_isolation') = 'read committed' THEN
            FOR one IN SELECT DISTINCT d.user_id, coalesce(d.assistant_id, 0) AS assistant_id
                         FROM new_rows AS n JOIN public.dialogs AS d ON d.id = n.dialog_id LOOP
                PERFORM replyx_api.fold_rollup(one.user_id, one.assistant_id, current_date - 40);
            END LOOP;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO replyx_api.assistant_daily_stats (user_id, day, assistant_id, dialog_id, messages, dialogs)
        SELECT d.user_id, c.day, d.assistant_id, c.dialog_id, -c.messages, 0
          FROM (SELECT o.dialog_id, o.timestamp::date AS day, count(*) AS messages
                  FROM old_rows AS o WHERE o.sender::text = 'assistant'
                 GROUP BY 1, 2 OFFSET 0) AS c
         CROSS JOIN LATERAL (SELECT d.user_id, coalesce(d.assistant_id, 0) AS assistant_id
                               FROM public.dialogs AS d WHERE d.id = c.dialog_id OFFSET 0) AS d;
    ELSE
        INSERT INTO replyx_api.assistant_daily_stats (user_id, day, assistant_id, dialog_id, messages, dialogs)
        SELECT d.user_id, c.day, d.assistant_id, c.dialog_id, c.messages, 0
          FROM (SELECT e.dialog_id, e.day, sum(e.messages) AS messages
                  FROM (SELECT o.dialog_id, o.timestamp::date AS day, -1 AS messages
                          FROM old_rows AS o WHERE o.sender::text = 'assistant'
                         UNION ALL
                        SELECT n.dialog_id, n.timestamp::date, 1
                          FROM new_rows AS n WHERE n.sender::text = 'assistant') AS e
                 GROUP BY 1, 2
                HAVING sum(e.messages) <> 0 OFFSET 0) AS c
         CROSS JOIN LATERAL (SELECT d.user_id, coalesce(d.assistant_id, 0) AS assistant_id
                               FROM public.dialogs AS d WHERE d.id = c.dialog_id OFFSET 0) AS d;
    END IF;
    RETURN NULL;
END
$function$;

-- ---- dialogs ----

CREATE OR REPLACE FUNCTION replyx_api.rollup_dialogs()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO replyx_api.assistant_daily_stats (user_id, day, assistant_id, dialog_id, messages, dialogs)
        SELECT n.user_id, n.started_at::date, coalesce(n.assistant_id, 0), n.id, 0, 1 FROM new_rows AS n;
        RETURN NULL;
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'dialogs are moved and deleted in READ COMMITTED only'
              USING ERRCODE = 'feature_not_supported',
                    DETAIL = 'Their messages are counted by day, and an older snapshot does not see all counts.',
                    HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED, or drop the triggers replyx_api_rollup_….';
    END IF;
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_advisory_xact_lock(7250362, c.class)
           FROM (SELECT DISTINCT o.id & 63 AS class FROM old_rows AS o ORDER BY 1) AS c;
        INSERT INTO replyx_api.assistant_daily_stats (user_id, day, assistant_id, dialog_id, messages, dialogs)
        SELECT s.user_id, s.day, s.assistant_id, s.dialog_id, -sum(s.messages), -sum(s.dialogs)
          FROM old_rows AS o
         CROSS JOIN LATERAL (SELECT r.*
                               FROM replyx_api.assistant_daily_stats AS r WHERE r.dialog_id = o.id OFFSET 0) AS s
         GROUP BY s.user_id, s.day, s.assistant_id, s.dialog_id
        HAVING sum(s.messages) <> 0 OR sum(s.dialogs) <> 0;
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(7250362, OLD.id & 63);
    -- Messages move with their dialog; it itself also when it began on another day.
    INSERT INTO replyx_api.assistant_daily_stats (user_id, day, assistant_id, dialog_id, messages, dialogs)
    SELECT m.user_id, m.day, m.assistant_id, m.dialog_id, sum(m.messages), sum(m.dialogs)
      FROM (SELECT s.user_id, s.day, s.assistant_id, s.dialog_id, -s.messages AS messages, -s.dialogs AS dialogs
              FROM replyx_api.assistant_daily_stats AS s
             WHERE s.dialog_id = OLD.id
            UNION ALL
            SELECT NEW.user_id, s.day, coalesce(NEW.assistant_id, 0), NEW.id, s.messages, 0
              FROM replyx_api.assistant_daily_stats AS s
             WHERE s.dialog_id = OLD.id
            UNION ALL
            SELECT NEW.user_id, NEW.started_at::date, coalesce(NEW.assistant_id, 0), NEW.id, 0, 1) AS m
     GROUP BY m.user_id, m.day, m.assistant_id, m.dialog_id
    HAVING sum(m.messages) <> 0 OR sum(m.dialogs) <> 0;
    RETURN NULL;
END
$function$;

-- ---- TRUNCATE ----

-- It has the table alone, so all that was written there is committed and seen.
CREATE OR REPLACE FUNCTION replyx_api.rollup_truncate()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION '% is emptied in READ COMMITTED only', TG_TABLE_NAME
              USING ERRCODE = 'feature_not_supported';
    END IF;
    -- Who is moving a dialog of messages that are gone has to be done with it.
    PERFORM replyx_api.rollup_lock_all(true);
    INSERT INTO replyx_api.assistant_daily_stats (user_id, day, assistant_id, dialog_id, messages, dialogs)
    SELECT s.user_id, s.day, s.assistant_id, s.dialog_id, -sum(s.messages),
           CASE WHEN TG_TABLE_NAME = 'dialogs' THEN -sum(s.dialogs) ELSE 0 END
      FROM replyx_api.assistant_daily_stats AS s
     GROUP BY s.user_id, s.day, s.assistant_id, s.dialog_id
    HAVING sum(s.messages) <> 0 OR (TG_TABLE_NAME = 'dialogs' AND sum(s.dialogs) <> 0);
    RETURN NULL;
END
$function$;

-- ---- filling and checking ----

-- What a user's assistants did since a time: complete days from the counts, the day that the time is in from the rows
-- of the dialogs that the counts name. Until the counts are complete all is counted from the rows. One snapshot, that
-- of the query that asks. With the owner's rights, as the policy of messages would look each of their dialogs up again.
CREATE OR REPLACE FUNCTION replyx_api.count_since(owner pg_catalog.int4, since pg_catalog.timestamp)
RETURNS TABLE (assistant_id pg_catalog.int4, messages pg_catalog.int8, dialogs pg_catalog.int8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
<<own>>
DECLARE
    is_complete boolean;
BEGIN
    IF count_since.owner IS DISTINCT FROM replyx_api.current_user_id() THEN
        RAISE EXCEPTION 'the counts of a user are for himself' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT r.is_complete INTO own.is_complete FROM replyx_api.rollup_state AS r;
    IF own.is_complete THEN
        RETURN QUERY
            SELECT s.assistant_id, sum(s.messages), sum(s.dialogs)
              FROM replyx_api.assistant_daily_stats AS s
             WHERE s.user_id = count_since.owner AND s.day > count_since.since::date
             GROUP BY s.assistant_id;
        RETURN QUERY
            SELECT e.assistant_id,
                   sum(CASE WHEN e.messages > 0 THEN (
                       SELECT count(*)
                         FROM public.dialog_messages AS m
                        WHERE m.dialog_id = e.dialog_id AND m.sender::text = 'assistant'
                          AND m.timestamp >= count_since.since
                          AND m.timestamp < (count_since.since::date + 1)::timestamp) ELSE 0 END)::bigint,
                   sum(CASE WHEN e.dialogs > 0 THEN (
                       SELECT count(*)
                         FROM public.dialogs AS d
                        WHERE d.id = e.dialog_id AND d.started_at >= count_since.since) ELSE 0 END)::bigint
              FROM (SELECT s.assistant_id, s.dialog_id, sum(s.messages) AS messages, sum(s.dialogs) AS dialogs
                      FROM replyx_api.assistant_daily_stats AS s
                     WHERE s.user_id = count_since.owner AND s.day = count_since.since::date
                     GROUP BY s.assistant_id, s.dialog_id) AS e
             GROUP BY e.assistant_id;
    ELSE
        RETURN QUERY
            SELECT d.assistant_id, count(*), 0::bigint
              FROM public.dialogs AS d
              JOIN public.dialog_messages AS m ON m.dialog_id = d.id
             WHERE d.user_id = count_since.owner AND m.sender::text = 'assistant' AND m.timestamp >= count_since.since
             GROUP BY d.assistant_id
             UNION ALL
            SELECT d.assistant_id, 0::bigint, count(*)
              FROM public.dialogs AS d
             WHERE d.user_id = count_since.owner AND d.started_at >= count_since.since
             GROUP BY d.assistant_id;
    END IF;
END
$function$;

-- What is counted wrongly, of the dialogs within these ids: no rows, if all is well. In one snapshot.
CREATE OR REPLACE FUNCTION replyx_api.rollup_differences(
    from_dialog pg_catalog.int4 DEFAULT 0, to_dialog pg_catalog.int4 DEFAULT 2147483647)
RETURNS TABLE (user_id pg_catalog.int4, day pg_catalog.date, assistant_id pg_catalog.int4, dialog_id pg_catalog.int4,
               messages pg_catalog.int8, dialogs pg_catalog.int8)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
    SELECT c.user_id, c.day, c.assistant_id, c.dialog_id, sum(c.messages)::bigint, sum(c.dialogs)::bigint
      FROM (SELECT d.user_id, d.started_at::date AS day, coalesce(d.assistant_id, 0) AS assistant_id, d.id AS dialog_id,
                   0 AS messages, 1 AS dialogs
              FROM public.dialogs AS d
             WHERE d.id BETWEEN from_dialog AND to_dialog
            UNION ALL
            SELECT d.user_id, m.timestamp::date, coalesce(d.assistant_id, 0), d.id, 1, 0
              FROM public.dialogs AS d
              JOIN public.dialog_messages AS m ON m.dialog_id = d.id AND m.dialog_id BETWEEN from_dialog AND to_dialog
             WHERE d.id BETWEEN from_dialog AND to_dialog AND m.sender::text = 'assistant'
            UNION ALL
            SELECT s.user_id, s.day, s.assistant_id, s.dialog_id, -s.messages, -s.dialogs
              FROM replyx_api.assistant_daily_stats AS s
             WHERE s.dialog_id BETWEEN from_dialog AND to_dialog) AS c
     GROUP BY c.user_id, c.day, c.assistant_id, c.dialog_id
    HAVING sum(c.messages) <> 0 OR sum(c.dialogs) <> 0;
$function$;

-- Counts what there was before the triggers, in steps with a commit after each, beside writers: a step adds what its
-- own snapshot misses, and what is written meanwhile the triggers add. Only who moves or deletes dialogs waits
-- for a step. CALL it again after it was interrupted; with anew it looks at all dialogs again (after a restore
-- without triggers, for example).
CREATE OR REPLACE PROCEDURE replyx_api.fill_rollup(
    anew pg_catalog.bool DEFAULT false, step pg_catalog.int4 DEFAULT 5000)
LANGUAGE plpgsql
AS $procedure$
DECLARE
    state record;
    from_id integer;
    to_id integer;
    last_id integer;
BEGIN
    IF anew THEN
        UPDATE replyx_api.rollup_state SET is_complete = false, filled_to = -2147483648;
    END IF;
    SELECT s.* INTO state FROM replyx_api.rollup_state AS s;
    IF state.is_complete THEN
        RETURN;
    END IF;
    COMMIT;
    -- Sums of dialogs that are gone are taken away too, whatever their ids.
    SELECT greatest((SELECT max(d.id) FROM public.dialogs AS d),
                    (SELECT max(s.dialog_id) FROM replyx_api.assistant_daily_stats AS s), 0) INTO last_id;
    SELECT least((SELECT min(d.id) FROM public.dialogs AS d),
                 (SELECT min(s.dialog_id) FROM replyx_api.assistant_daily_stats AS s), 1) INTO from_id;
    from_id := greatest(from_id, CASE WHEN state.filled_to > 0 THEN state.filled_to + 1 ELSE from_id END);
    WHILE from_id <= last_id LOOP
        to_id := least(last_id::bigint, from_id::bigint + step - 1);
        PERFORM replyx_api.rollup_lock_all(false);
        -- Its row is ours until the commit: two that fill at a time would both add what is missing.
        UPDATE replyx_api.rollup_state SET filled_to = to_id;
        INSERT INTO replyx_api.assistant_daily_stats (user_id, day, assistant_id, dialog_id, messages, dialogs)
        SELECT f.user_id, f.day, f.assistant_id, f.dialog_id, f.messages, f.dialogs
          FROM replyx_api.rollup_differences(from_id, to_id) AS f;
        COMMIT;
        EXIT WHEN to_id = last_id;
        from_id := to_id + 1;
    END LOOP;
    UPDATE replyx_api.rollup_state SET is_complete = true;
    COMMIT;
END
$procedure$;

REVOKE ALL ON FUNCTION replyx_api.rollup_lock_all(boolean), replyx_api.fold_rollup(integer, integer, date),
    replyx_api.rollup_messages(), replyx_api.rollup_dialogs(), replyx_api.rollup_truncate(),
    replyx_api.count_since(integer, timestamp), replyx_api.rollup_differences(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replyx_api.count_since(integer, timestamp) TO replyx_api;
REVOKE ALL ON PROCEDURE replyx_api.fill_rollup(boolean, integer) FROM PUBLIC;
REVOKE ALL ON replyx_api.assistant_daily_stats, replyx_api.rollup_state FROM PUBLIC, replyx_api;
-- ---- the triggers, from when on nothing is missed ----

DO $do$
DECLARE
    name text;
BEGIN
    -- One that was dropped or disabled meanwhile has missed something.
    FOREACH name IN ARRAY ARRAY['insert', 'update', 'delete', 'truncate'] LOOP
        IF (SELECT pg_catalog.count(*)
              FROM pg_catalog.pg_trigger AS t
             WHERE t.tgrelid IN ('public.dialogs'::pg_catalog.regclass, 'public.dialog_messages'::pg_catalog.regclass)
               AND t.tgname = 'replyx_api_rollup_' || name AND t.tgenabled IN ('O', 'A')) <> 2 THEN
            UPDATE replyx_api.rollup_state SET is_complete = false, filled_to = 0;
        END IF;
    END LOOP;
END
$do$;

CREATE OR REPLACE TRIGGER replyx_api_rollup_insert AFTER INSERT ON public.dialogs
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION replyx_api.rollup_dialogs();
CREATE OR REPLACE TRIGGER replyx_api_rollup_update AFTER UPDATE ON public.dialogs FOR EACH ROW
    WHEN ((OLD.id, OLD.user_id, OLD.assistant_id, OLD.started_at::date)
          IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.assistant_id, NEW.started_at::date))
    EXECUTE FUNCTION replyx_api.rollup_dialogs();
CREATE OR REPLACE TRIGGER replyx_api_rollup_delete AFTER DELETE ON public.dialogs
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION replyx_api.rollup_dialogs();
CREATE OR REPLACE TRIGGER replyx_api_rollup_truncate AFTER TRUNCATE ON public.dialogs
    FOR EACH STATEMENT EXECUTE FUNCTION replyx_api.rollup_truncate();
CREATE OR REPLACE TRIGGER replyx_api_rollup_insert AFTER INSERT ON public.dialog_messages
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION replyx_api.rollup_messages();
CREATE OR REPLACE TRIGGER replyx_api_rollup_update AFTER UPDATE ON public.dialog_messages
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION replyx_api.rollup_messages();
CREATE OR REPLACE TRIGGER replyx_api_rollup_delete AFTER DELETE ON public.dialog_messages
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION replyx_api.rollup_messages();
CREATE OR REPLACE TRIGGER replyx_api_rollup_truncate AFTER TRUNCATE ON public.dialog_messages
    FOR EACH STATEMENT EXECUTE FUNCTION replyx_api.rollup_truncate();

-- What there was before is counted by CALL replyx_api.fill_rollup(), outside of a transaction: "install" does it.
