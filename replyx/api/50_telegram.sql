-- Webhooks of Telegram bots. Telegram sends an update again until it is answered with 200, so what was written for
-- one is kept with its number: the same update again gets the same answer, and writes nothing. The row of an update is
-- inserted first, so a second one that comes meanwhile waits for the first and then finds it.

CREATE TABLE IF NOT EXISTS replyx_api.telegram_update (
    bot_id integer NOT NULL,
    update_id bigint NOT NULL,
    user_id integer NOT NULL, -- the bot's owner
    kind text NOT NULL,       -- 'message', or what was not acted on: 'edited_message', …
    dialog_id integer,
    message_id integer,
    answer_id integer,
    answer text NOT NULL DEFAULT '{}', -- what the webhook was answered with
    received_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (bot_id, update_id)
);
CREATE INDEX IF NOT EXISTS telegram_update_received ON replyx_api.telegram_update (received_at);

-- The dialog that a chat goes on in. Its row is locked while a message is stored, so that two first messages of a chat
-- open one dialog. The dialog may have been deleted meanwhile: there is no foreign key to keep others from that.
CREATE TABLE IF NOT EXISTS replyx_api.telegram_chat (
    bot_id integer NOT NULL,
    chat_id text NOT NULL,
    user_id integer NOT NULL, -- the bot's owner
    dialog_id integer,
    PRIMARY KEY (bot_id, chat_id)
);

-- What a message may hold: 4096 units of UTF-16, of which an emoji takes two.
CREATE OR REPLACE FUNCTION replyx_api.telegram_text(words pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT left(words, 4096 - char_length(regexp_replace(left(words, 4096), '[^\U00010000-\U0010FFFF]', '', 'g')));
$function$;

-- Whose a bot is; no row: there is no such bot. is_answering: whether its assistant answers.
CREATE OR REPLACE FUNCTION replyx_api.telegram_bot(
    bot pg_catalog.int4, OUT owner pg_catalog.int4, OUT assistant pg_catalog.int4, OUT is_answering pg_catalog.bool)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
    SELECT b.user_id, b.assistant_id, a.is_active
      FROM public.bot_instances AS b
      JOIN public.assistants AS a ON a.id = b.assistant_id AND a.user_id = b.user_id
     WHERE b.id = telegram_bot.bot
       AND b.platform = 'telegram'
       AND b.is_active;
$function$;

-- The dialog that the chat goes on in; a new one when there is none, or the last one has ended.
CREATE OR REPLACE FUNCTION replyx_api.telegram_dialog(
    bot pg_catalog.int4, owner pg_catalog.int4, assistant pg_catalog.int4, chat pg_catalog.text,
    username pg_catalog.text, first_name pg_catalog.text, last_name pg_catalog.text, at pg_catalog.timestamp)
RETURNS pg_catalog.int4
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
<<own>>
DECLARE
    known integer;
    found_id integer;
BEGIN
    INSERT INTO replyx_api.telegram_chat AS c (bot_id, chat_id, user_id)
    VALUES (telegram_dialog.bot, telegram_dialog.chat, telegram_dialog.owner)
    ON CONFLICT (bot_id, chat_id) DO NOTHING;
    SELECT c.dialog_id INTO own.known
      FROM replyx_api.telegram_chat AS c
     WHERE c.bot_id = telegram_dialog.bot AND c.chat_id = telegram_dialog.chat
       FOR NO KEY UPDATE;
    SELECT d.id INTO own.found_id
      FROM public.dialogs AS d
     WHERE d.id = own.known
       AND d.user_id = telegram_dialog.owner AND d.assistant_id = telegram_dialog.assistant AND d.ended_at IS NULL;
    IF own.found_id IS NOT NULL THEN
        RETURN own.found_id;
    END IF;
    -- One of before this table knew the chat.
    SELECT d.id INTO own.found_id
      FROM public.dialogs AS d
     WHERE d.user_id = telegram_dialog.owner AND d.assistant_id = telegram_dialog.assistant
       AND d.telegram_chat_id = telegram_dialog.chat AND d.ended_at IS NULL
     ORDER BY d.started_at DESC, d.id DESC
     LIMIT 1;
    IF own.found_id IS NULL THEN
        INSERT INTO public.dialogs (user_id, assistant_id, telegram_chat_id, telegram_username, first_name, last_name,
                                    started_at)
        VALUES (telegram_dialog.owner, telegram_dialog.assistant, telegram_dialog.chat, telegram_dialog.username,
                telegram_dialog.first_name, telegram_dialog.last_name, telegram_dialog.at)
        RETURNING id INTO own.found_id;
    END IF;
    UPDATE replyx_api.telegram_chat AS c
       SET dialog_id = own.found_id
     WHERE c.bot_id = telegram_dialog.bot AND c.chat_id = telegram_dialog.chat;
    RETURN own.found_id;
END
$function$;

-- The chunk that answers a question best; NULL: none has any word of it, and none is near.
CREATE OR REPLACE FUNCTION replyx_api.telegram_answer(
    owner pg_catalog.int4, assistant pg_catalog.int4, words pg_catalog.text, question public.vector)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF to_regprocedure('public.search_embeddings_hybrid(integer, public.vector, text, integer, double precision)')
       IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT s.chunk_text
              FROM public.search_embeddings_hybrid(telegram_answer.assistant, telegram_answer.question,
                                                   telegram_answer.words, 1, NULL) AS s
              JOIN public.knowledge_embeddings AS k ON k.id = s.id AND k.user_id = telegram_answer.owner);
END
$function$;

-- What a bot says when it knows nothing.
CREATE OR REPLACE FUNCTION replyx_api.telegram_fallback()
RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$ SELECT 'Не нашёл ответа на этот вопрос в базе знаний.'::pg_catalog.text $function$;

-- The answer to a webhook: a call of Telegram's sendMessage.
CREATE OR REPLACE FUNCTION replyx_api.telegram_reply(chat pg_catalog.text, words pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT row_to_json(r)::text
      FROM (SELECT 'sendMessage' AS method, telegram_reply.chat::bigint AS chat_id, telegram_reply.words AS text) AS r;
$function$;

-- An update from beginning to end: one call, one transaction. No row: there is no such bot. words NULL: nothing to
-- act on, which is only noted.
CREATE OR REPLACE FUNCTION replyx_api.telegram_receive(
    bot pg_catalog.int4, update_id pg_catalog.int8, kind pg_catalog.text, chat pg_catalog.text,
    username pg_catalog.text, first_name pg_catalog.text, last_name pg_catalog.text, words pg_catalog.text,
    question public.vector, OUT owner pg_catalog.int4, OUT answer pg_catalog.text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
<<own>>
DECLARE
    served record;
    asked_at timestamp := clock_timestamp() AT TIME ZONE 'UTC';
    dialog integer;
    asked integer;
    answered integer;
    said text;
BEGIN
    SELECT b.* INTO own.served FROM replyx_api.telegram_bot(telegram_receive.bot) AS b;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    owner := own.served.owner;
    INSERT INTO replyx_api.telegram_update AS u (bot_id, update_id, user_id, kind)
    VALUES (telegram_receive.bot, telegram_receive.update_id, own.served.owner, telegram_receive.kind)
    ON CONFLICT ON CONSTRAINT telegram_update_pkey DO NOTHING;
    IF NOT FOUND THEN
        SELECT u.answer INTO answer
          FROM replyx_api.telegram_update AS u
         WHERE u.bot_id = telegram_receive.bot AND u.update_id = telegram_receive.update_id;
        RETURN NEXT;
        RETURN;
    END IF;
    answer := '{}';
    IF telegram_receive.words IS NOT NULL THEN
        own.dialog := replyx_api.telegram_dialog(
            telegram_receive.bot, own.served.owner, own.served.assistant, telegram_receive.chat,
            telegram_receive.username, telegram_receive.first_name, telegram_receive.last_name, own.asked_at);
        INSERT INTO public.dialog_messages (dialog_id, sender, text, message_kind, timestamp)
        VALUES (own.dialog, 'user', telegram_receive.words, 'user', own.asked_at)
        RETURNING id INTO own.asked;
        -- An operator who has taken the dialog over answers himself.
        IF own.served.is_answering AND EXISTS (
                SELECT FROM public.dialogs AS d
                 WHERE d.id = own.dialog AND d.is_taken_over = 0 AND d.handoff_status <> 'active') THEN
            own.said := replyx_api.telegram_text(coalesce(
                replyx_api.telegram_answer(own.served.owner, own.served.assistant, telegram_receive.words,
                                           telegram_receive.question),
                replyx_api.telegram_fallback()));
            INSERT INTO public.dialog_messages (dialog_id, sender, text, message_kind, timestamp)
            VALUES (own.dialog, 'assistant', own.said, 'assistant',
                    greatest(clock_timestamp() AT TIME ZONE 'UTC', own.asked_at + interval '1 microsecond'))
            RETURNING id INTO own.answered;
            answer := replyx_api.telegram_reply(telegram_receive.chat, own.said);
        END IF;
        UPDATE replyx_api.telegram_update AS u
           SET dialog_id = own.dialog, message_id = own.asked, answer_id = own.answered, answer = telegram_receive.answer
         WHERE u.bot_id = telegram_receive.bot AND u.update_id = telegram_receive.update_id;
    END IF;
    RETURN NEXT;
END
$function$;

-- Forgets updates that Telegram will not send again; how many there were. It keeps them for a day.
CREATE OR REPLACE FUNCTION replyx_api.forget_telegram_updates(
    older_than pg_catalog.interval DEFAULT '3 days', most pg_catalog.int4 DEFAULT 10000)
RETURNS pg_catalog.int8
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
    WITH old AS (
        SELECT u.ctid AS place
          FROM replyx_api.telegram_update AS u
         WHERE u.received_at < now() - greatest(forget_telegram_updates.older_than, interval '1 day')
         ORDER BY u.received_at
         LIMIT forget_telegram_updates.most
           FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM replyx_api.telegram_update AS u USING old WHERE u.ctid = old.place RETURNING 1)
    SELECT count(*) FROM gone;
$function$;

REVOKE ALL ON FUNCTION replyx_api.telegram_text(text), replyx_api.telegram_bot(integer),
    replyx_api.telegram_dialog(integer, integer, integer, text, text, text, text, timestamp),
    replyx_api.telegram_answer(integer, integer, text, public.vector), replyx_api.telegram_fallback(),
    replyx_api.telegram_reply(text, text),
    replyx_api.telegram_receive(integer, bigint, text, text, text, text, text, text, public.vector),
    replyx_api.forget_telegram_updates(interval, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replyx_api.telegram_receive(integer, bigint, text, text, text, text, text, text, public.vector)
    TO replyx_api;

-- ---- what the slow form needs, which sends each statement itself and is bound by row-level security ----

GRANT EXECUTE ON FUNCTION replyx_api.telegram_bot(integer), replyx_api.telegram_text(text),
    replyx_api.telegram_fallback(), replyx_api.telegram_reply(text, text) TO replyx_api;

DO $do$
DECLARE
    kept text;
    numbered text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['telegram_update', 'telegram_chat'] LOOP
        EXECUTE pg_catalog.format('ALTER TABLE replyx_api.%I ENABLE ROW LEVEL SECURITY', kept);
        EXECUTE pg_catalog.format('DROP POLICY IF EXISTS replyx_api_owner ON replyx_api.%I', kept);
        EXECUTE pg_catalog.format(
            'CREATE POLICY replyx_api_owner ON replyx_api.%I TO replyx_api'
            ' USING (user_id = (SELECT replyx_api.current_user_id()))', kept);
    END LOOP;
    FOREACH numbered IN ARRAY ARRAY['dialogs', 'dialog_messages'] LOOP
        EXECUTE pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO replyx_api',
            pg_catalog.pg_get_serial_sequence('public.' || numbered, 'id'));
    END LOOP;
END
$do$;
REVOKE ALL ON replyx_api.telegram_update, replyx_api.telegram_chat FROM PUBLIC, replyx_api;
GRANT SELECT, INSERT (bot_id, update_id, user_id, kind), UPDATE (dialog_id, message_id, answer_id, answer)
   ON replyx_api.telegram_update TO replyx_api;
GRANT SELECT, INSERT (bot_id, chat_id, user_id), UPDATE (dialog_id) ON replyx_api.telegram_chat TO replyx_api;

GRANT INSERT (user_id, assistant_id, telegram_chat_id, telegram_username, first_name, last_name, started_at)
   ON public.dialogs TO replyx_api;
GRANT INSERT (dialog_id, sender, text, message_kind, timestamp) ON public.dialog_messages TO replyx_api;
DROP POLICY IF EXISTS replyx_api_owner_inserts ON public.dialogs;
CREATE POLICY replyx_api_owner_inserts ON public.dialogs FOR INSERT TO replyx_api
    WITH CHECK (user_id = (SELECT replyx_api.current_user_id()));
DROP POLICY IF EXISTS replyx_api_owner_inserts ON public.dialog_messages;
CREATE POLICY replyx_api_owner_inserts ON public.dialog_messages FOR INSERT TO replyx_api
    WITH CHECK (EXISTS (SELECT FROM public.dialogs AS d
                         WHERE d.id = dialog_id AND d.user_id = (SELECT replyx_api.current_user_id())));
