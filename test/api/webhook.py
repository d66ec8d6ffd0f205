"""POST /telegram/webhook/{bot}: written once and answered alike, whatever happens; bots that do not hurt each other.

Usage: webhook.py      prints TAP
"""
import concurrent.futures
import hashlib
import hmac
import itertools
import json
import os
import threading

import apitest
from apitest import check, same, wait_until

SECRET = "a secret of the webhooks, which is long enough"
QUESTION = "Сколько стоит доставка? 😀"
numbers = itertools.count(1000)


def secret_of(bot, secret=SECRET):
    """As the description has it."""
    return hmac.new(secret.encode(), f"telegram:{bot}".encode(), hashlib.sha256).hexdigest()


def message(chat, text=QUESTION, update=None, **more):
    found = {"message_id": 5, "date": 1763800000, "chat": {"id": chat, "type": "private"},
             "from": {"id": chat, "is_bot": False, "first_name": "Иван", "last_name": "О'Нил \\ \"x\"", "username": "ivan"}}
    if text is not None:
        found["text"] = text
    return {"update_id": next(numbers) if update is None else update, "message": {**found, **more}}


def post(server, bot, body, secret=None, headers=None):
    given = {"X-Telegram-Bot-Api-Secret-Token": secret_of(bot) if secret is None else secret} if secret != "" else {}
    return server.request("POST", f"/telegram/webhook/{bot}", body=body, headers={**given, **(headers or {})})


def at_once(calls):
    """What the calls give, each in a thread of its own, all let go together."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


class World:
    def __init__(self, base):
        self.base = base
        rows = base.sql("""
            SELECT b.id FROM bot_instances AS b JOIN assistants AS a ON a.id = b.assistant_id AND a.user_id = b.user_id
             WHERE b.platform = 'telegram' AND b.is_active AND a.is_active
             ORDER BY (SELECT count(*) FROM knowledge_embeddings AS k WHERE k.assistant_id = a.id) DESC, b.id""")
        self.bots = [int(row) for row in rows.split("\n")]

    def counts(self):
        return self.base.sql("SELECT (SELECT count(*) FROM dialogs), (SELECT count(*) FROM dialog_messages),"
                             " (SELECT count(*) FROM replyx_api.telegram_update)")

    def dialogs(self, bot, chat):
        """What is stored of a chat, without ids and times: they differ, and are checked to be in order."""
        return self.base.rows(f"""
            SELECT d.user_id = b.user_id AS is_owner, d.assistant_id = b.assistant_id AS is_assistant, d.telegram_chat_id,
                   d.telegram_username, d.first_name, d.last_name, d.ended_at, d.is_taken_over,
                   (SELECT json_agg(json_build_array(m.sender, m.message_kind, m.text) ORDER BY m.timestamp, m.id)
                      FROM dialog_messages AS m WHERE m.dialog_id = d.id) AS messages,
                   (SELECT bool_and(m.timestamp BETWEEN d.started_at AND now() AT TIME ZONE 'UTC')
                      FROM dialog_messages AS m WHERE m.dialog_id = d.id) AS is_in_order
              FROM dialogs AS d JOIN bot_instances AS b ON b.id = {bot} AND b.assistant_id = d.assistant_id
             WHERE d.telegram_chat_id = '{chat}' ORDER BY d.id""")


# -- who may ------------------------------------------------------------------------------------


def check_secret(world, server):
    bot, other = world.bots[:2]
    before = world.counts()
    good = secret_of(bot)
    wrong = {"none": "", "empty": " ", "another bot's": secret_of(other), "the beginning": good[:-1], "more": good + "0",
             "another secret's": secret_of(bot, "guess"), "the secret itself": SECRET, "in capitals": good.upper(),
             "very long": "a" * 7000}
    found = {name: post(server, bot, message(1), secret).status for name, secret in wrong.items()}
    same(set(found.values()), {401}, "without the bot's secret: 401")
    found = post(server, 999999, message(1))
    same(found.status, 404, "a bot that there is not: 404")
    same(post(server, 0, message(1)).status, 404, "an id that no bot can have: 404")
    same(server.get(f"/telegram/webhook/{bot}").status, 405, "GET: 405")
    same(world.counts(), before, "and nothing is written")


# -- what is written ----------------------------------------------------------------------------


def check_written(world, servers):
    bot = world.bots[0]
    stored = []
    for chat, (name, server) in zip((-1001, -1002), servers.items()):
        update = message(chat)
        answer = post(server, bot, update)
        found = world.dialogs(bot, chat)
        reply = answer.json() if answer.status == 200 else {}
        check(answer.status == 200 and list(reply) == ["method", "chat_id", "text"] and reply["method"] == "sendMessage"
              and reply["chat_id"] == chat, f"{name}: the answer is a sendMessage", answer)
        same([dialog["messages"] for dialog in found],
             [[["user", "user", QUESTION], ["assistant", "assistant", reply.get("text")]]],
             f"{name}: the question and what was answered are stored")
        check(all(dialog["is_owner"] and dialog["is_assistant"] and dialog["is_in_order"] for dialog in found)
              and (found[0]["first_name"], found[0]["last_name"], found[0]["telegram_username"]) ==
              ("Иван", "О'Нил \\ \"x\"", "ivan"), f"{name}: in a dialog of the bot's owner and assistant", found)
        before = world.counts()
        again = [post(server, bot, update) for _ in range(3)]
        check(all(one.body == answer.body and one.status == 200 for one in again), f"{name}: the same update again: "
              "the same answer", again)
        same(world.counts(), before, f"{name}: and nothing more is written")
        post(server, bot, message(chat, "И ещё вопрос"))
        same(len(world.dialogs(bot, chat)[0]["messages"]), 4, f"{name}: the chat goes on in its dialog")
        stored.append([{**dialog, "telegram_chat_id": None} for dialog in world.dialogs(bot, chat)])
    same(stored[0], stored[1], "both variants write the same")
    # Each takes what the other has written for its own.
    update = message(-1003)
    first = post(servers["naive"], bot, update)
    same(post(servers["optimised"], bot, update).body, first.body, "an update that the other variant had is known")


def check_retrieval(world, servers):
    """The chunk that is told is the best by words, of the bot's assistant."""
    bot = world.bots[1]
    best = world.base.value(f"""
        SELECT k.chunk_text FROM knowledge_embeddings AS k JOIN bot_instances AS b ON b.assistant_id = k.assistant_id,
               (SELECT string_agg(quote_literal(lexeme), ' | ')::tsquery AS words
                  FROM unnest(to_tsvector('russian', 'оплата и доставка'))) AS q
         WHERE b.id = {bot} AND to_tsvector('russian', k.chunk_text) @@ q.words
         ORDER BY ts_rank(to_tsvector('russian', k.chunk_text), q.words, 1) DESC, k.id LIMIT 1""")
    expected = best or "Не нашёл ответа на этот вопрос в базе знаний."
    for name, server in servers.items():
        same(post(server, bot, message(77, "оплата и доставка")).json()["text"], expected,
             f"{name}: the best chunk is told")
        same(post(server, bot, message(77, "qwertyuiop")).json()["text"], "Не нашёл ответа на этот вопрос в базе знаний.",
             f"{name}: or that there is none")


def check_ignored(world, servers):
    bot = world.bots[2]
    updates = [
        ("edited_message", {"edited_message": message(5)["message"]}),
        ("channel_post", {"channel_post": {"chat": {"id": -100, "type": "channel"}, "text": "новость"}}),
        ("callback_query", {"callback_query": {"id": "1", "data": "x"}}),
        ("message_without_text", message(5, None, photo=[{"file_id": "x"}])),
        ("message_of_bot", message(5, **{"from": {"id": 7, "is_bot": True}})),
        ("unknown", {"Robert'); DROP TABLE dialogs": {}}), ("unknown", {}),
    ]
    for name, server in servers.items():
        before = world.counts().split("|")[:2]
        wrong = []
        for kind, update in updates:
            number = next(numbers)
            answer = post(server, bot, {**update, "update_id": number})
            kept = world.base.value(f"SELECT kind FROM replyx_api.telegram_update WHERE (bot_id, update_id) = ({bot}, {number})")
            if (answer.status, answer.body, kept) != (200, b"{}", kind):
                wrong.append((kind, kept, answer))
        check(not wrong, f"{name}: what is not acted on is noted and answered with 200", wrong)
        same(world.counts().split("|")[:2], before, f"{name}: and stored in no dialog")


def check_texts(world, servers):
    bot = world.bots[3]
    for name, server in servers.items():
        for chat, text in ((31, "😀" * 4096), (32, "я" * 4096), (33, ""), (34, "a\tb\nc\\'\"$1 %s"), (35, "a\u202e\u0301")):
            chat = chat + (10 if name == "naive" else 0)
            answer = post(server, bot, message(chat, text))
            dialog = world.dialogs(bot, chat)
            check(answer.status == 200 and dialog and dialog[0]["messages"][0][2] == text
                  and len(answer.json()["text"].encode("utf-16-le")) <= 2 * 4096,
                  f"{name}: a text is stored as it is: {text[:5]!r}…", (answer, dialog))


def check_bad(world, server):
    bot = world.bots[3]
    before = world.counts()
    bad = {
        "no JSON": "update_id=1", "nothing": "", "a list": "[]", "no number": {"message": message(1)["message"]},
        "a number as text": {**message(1), "update_id": "1"}, "below 0": {**message(1), "update_id": -1},
        "beyond 64 bits": '{"update_id": 99999999999999999999}', "no chat": {"update_id": 1, "message": {"text": "a"}},
        "a chat as text": message("1"), "a chat beyond 52 bits": message(2**53), "a text that is none": message(1, 5),
        "a message that is none": {"update_id": 1, "message": [1]}, "4097 letters": message(1, "я" * 4097),
        "NUL": '{"update_id": 1, "message": {"chat": {"id": 1}, "text": "a\\u0000b"}}',
        "no UTF-8": b'{"update_id": 1, "message": {"chat": {"id": 1}, "text": "\xff"}}',
        "deep": '{"update_id": 1, "message": ' + "[" * 20000 + "]" * 20000 + "}",
        "twice the same": '{"update_id": 1, "update_id": 2}',
    }
    found = {name: post(server, bot, body) for name, body in bad.items()}
    wrong = {name: answer for name, answer in found.items()
             if answer.status != 400 or "message" not in answer.json()["error"]}
    check(not wrong, f"{len(bad)} bad updates get 400", wrong)
    same([post(server, bot, b"x" * size).status for size in (64 * 1024, 64 * 1024 + 1, 1000000)]
         + [post(server, bot, message(1, **{"caption": "x" * 70000})).status], [400, 413, 413, 413],
         "one of more than 64 kB is too large")
    same(world.counts(), before, "and nothing is written")


def check_dialogs(world, servers):
    """Dialogs that an operator has taken over, that have ended, that are gone."""
    bot = world.bots[4]
    for chat, (name, server) in zip((51, 52), servers.items()):
        post(server, bot, message(chat))
        change = f"UPDATE dialogs SET %s WHERE telegram_chat_id = '{chat}'"
        world.base.sql(change % "is_taken_over = 1")
        same(post(server, bot, message(chat, "человека!")).body, b"{}", f"{name}: an operator answers himself")
        same([one[0] for one in world.dialogs(bot, chat)[0]["messages"]], ["user", "assistant", "user"],
             f"{name}: and reads the message")
        world.base.sql(change % "is_taken_over = 0, ended_at = now()")
        post(server, bot, message(chat))
        same([len(dialog["messages"]) for dialog in world.dialogs(bot, chat)], [3, 2],
             f"{name}: after the end of a dialog comes another")
        world.base.sql(f"""DELETE FROM dialog_messages WHERE dialog_id IN (
                               SELECT id FROM dialogs WHERE telegram_chat_id = '{chat}');
                           DELETE FROM dialogs WHERE telegram_chat_id = '{chat}'""")
        post(server, bot, message(chat))
        same([len(dialog["messages"]) for dialog in world.dialogs(bot, chat)], [2], f"{name}: also after one was deleted")


# -- at the same time, and when something breaks ------------------------------------------------


def check_together(world, servers):
    bot = world.bots[5]
    for chat, (name, server) in zip((61, 62), servers.items()):
        update = message(chat)
        answers = at_once([lambda: post(server, bot, update) for _ in range(12)])
        same(({answer.status for answer in answers}, len({answer.body for answer in answers})), ({200}, 1),
             f"{name}: an update twelve times at once has one answer")
        same([len(dialog["messages"]) for dialog in world.dialogs(bot, chat)], [2], f"{name}: and is written once")
        chat += 10
        answers = at_once([lambda: post(server, bot, message(chat)) for _ in range(12)])
        same({answer.status for answer in answers}, {200}, f"{name}: twelve first messages of a chat at once")
        same([len(dialog["messages"]) for dialog in world.dialogs(bot, chat)], [24], f"{name}: open one dialog")
    update = message(63)
    mixed = at_once([lambda server=server: post(server, bot, update) for server in list(servers.values()) * 5])
    same(({answer.status for answer in mixed}, len({answer.body for answer in mixed}), len(world.dialogs(bot, 63))),
         ({200}, 1, 1), "both variants at once write it once")


def check_failure(world, servers):
    """The last statement fails: nothing of the ones before it may stay."""
    bot = world.bots[6]
    base = world.base
    base.sql("""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.sender = 'assistant' THEN RAISE 'not this one'; END IF;
                    RETURN NEW; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON dialog_messages FOR EACH ROW EXECUTE FUNCTION refuse()""")
    before = world.counts()
    updates = {name: message(-70 - number) for number, name in enumerate(servers)}
    for name, server in servers.items():
        same(post(server, bot, updates[name]).status, 500, f"{name}: an update that cannot be written is an error")
        same(world.counts(), before, f"{name}: and leaves nothing behind")
    base.sql("DROP TRIGGER refuse ON dialog_messages")
    for name, server in servers.items():
        same(post(server, bot, updates[name]).status, 200, f"{name}: sent again it is done")
    base.sql("DROP FUNCTION refuse()")


def check_lost(world, servers):
    """The session is ended while it writes: the update is done in another one, once."""
    bot = world.bots[7]
    base = world.base
    for chat, (name, server) in zip((81, 82), servers.items()):
        holder = apitest.subprocess.Popen(
            ["psql", "-Xq", "-d", base.name], stdin=apitest.subprocess.PIPE,
                                      stdout=apitest.subprocess.DEVNULL, text=True)
        holder.stdin.write("BEGIN; LOCK TABLE dialog_messages IN SHARE MODE;\n")
        holder.stdin.flush()
        waiting = ("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'replyx_api'"
                   " AND wait_event_type = 'Lock'")
        held = "SELECT 1 FROM pg_locks WHERE relation = 'dialog_messages'::regclass AND mode = 'ShareLock' AND granted"
        wait_until("the table is locked", lambda: base.value(held))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            future = pool.submit(post, server, bot, message(chat))
            pid = wait_until("the update waits for it", lambda: base.value(waiting))
            base.sql(f"SELECT pg_terminate_backend({pid})")
            wait_until("it is tried again", lambda: base.value(waiting) not in ("", pid))
            holder.stdin.write("COMMIT;\n")
            holder.stdin.close()
            answer = future.result()
        holder.wait()
        same((answer.status, [len(dialog["messages"]) for dialog in world.dialogs(bot, chat)]), (200, [2]),
             f"{name}: a session that is ended meanwhile costs nothing")


# -- fairness -----------------------------------------------------------------------------------


def check_fairness(world, base, secret_file):
    """A bot that floods holds neither the pool nor the queue of another. What its updates wait for is held here."""
    flooding, polite, limited = world.bots[8:11]
    base.sql(f"""CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     IF NEW.bot_id = {flooding} THEN PERFORM pg_advisory_xact_lock_shared(4711); END IF;
                     RETURN NEW; END $$;
                 CREATE TRIGGER hold BEFORE INSERT ON replyx_api.telegram_update FOR EACH ROW EXECUTE FUNCTION hold()""")
    server = apitest.Server(base, "optimised", ["--webhook-secret-file", secret_file, "--pool-size", "4", "--max-overflow",
                                                "0", "--bot-queue", "20", "--bot-rate", "40"])
    holder = apitest.subprocess.Popen(["psql", "-Xq", "-d", base.name], stdin=apitest.subprocess.PIPE,
                                      stdout=apitest.subprocess.DEVNULL, text=True)
    holder.stdin.write("SELECT pg_advisory_lock(4711);\n")
    holder.stdin.flush()
    wait_until("the lock is held", lambda: base.value("SELECT 1 FROM pg_locks WHERE objid = 4711 AND granted"))
    flood = concurrent.futures.ThreadPoolExecutor(60)
    futures = [flood.submit(post, server, flooding, message(900 + number)) for number in range(60)]
    refused = wait_until("the flood has filled its queue", lambda: sum(future.done() for future in futures) >= 39)
    polite_answers = [post(server, polite, message(1)) for _ in range(10)]
    garbage = [post(server, flooding, body) for body in (b"\x00\xff garbage", b"x" * 1000000, "{")]
    more = [post(server, polite, message(1)) for _ in range(5)]
    same({answer.status for answer in polite_answers + more}, {200}, "while one bot floods another is answered")
    same(refused and sum(future.done() for future in futures), 39, "of 60 updates that cannot go on 39 are refused at once")
    check(all(future.result().status == 429 and int(future.result().header("retry-after")) > 0
              for future in futures if future.done()), "with 429 and Retry-After")
    check(all(answer.status in (400, 413, 429) for answer in garbage), "garbage and 1 MB too", garbage)
    holder.stdin.write("SELECT pg_advisory_unlock(4711);\n")
    holder.stdin.close()
    holder.wait()
    statuses = [future.result().status for future in futures]
    same((statuses.count(200), statuses.count(429)), (21, 39), "those that waited in its queue are done then")
    same(base.value(f"SELECT count(*) FROM replyx_api.telegram_update WHERE bot_id = {flooding}"), "21",
         "what was refused was not written")
    runs = at_once([lambda: [post(server, limited, message(2, None)).status for _ in range(12)] for _ in range(40)])
    burst = [status for run in runs for status in run]
    check(429 in burst and 200 in burst and set(burst) == {200, 429}, "a bot that sends more than its rate gets 429", burst)
    same(server.stop(), 0, "it ends with status 0")


def main():
    base = apitest.database("api_webhook")
    folder = apitest.pathlib.Path(apitest.tempfile.mkdtemp())
    secret_file = str(folder / "webhook")
    (folder / "webhook").write_text(SECRET + "\n")
    os.chmod(secret_file, 0o600)
    world = World(base)
    options = ["--webhook-secret-file", secret_file, "--bot-rate", "1000"]
    servers = {variant: apitest.Server(base, variant, options) for variant in ("naive", "optimised")}
    check_secret(world, servers["optimised"])
    check_written(world, servers)
    check_retrieval(world, servers)
    check_ignored(world, servers)
    check_texts(world, servers)
    check_bad(world, servers["optimised"])
    check_dialogs(world, servers)
    check_together(world, servers)
    check_failure(world, servers)
    check_lost(world, servers)
    same(post(servers["optimised"], world.bots[0], message(1)).header("x-query-count"), "1", "optimised: one statement")
    check(all(SECRET not in server.logged() and secret_of(world.bots[0]) not in server.logged()
              for server in servers.values()), "no secret is in a log")
    same([server.stop() for server in servers.values()], [0, 0], "they end with status 0")
    closed = apitest.Server(base, "optimised")
    same(post(closed, world.bots[0], message(1)).status, 403, "without a secret there are no webhooks")
    closed.stop()
    check_fairness(world, base, secret_file)
    apitest.shutil.rmtree(folder, ignore_errors=True)
    apitest.done()


main()
