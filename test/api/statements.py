"""How many statements a request really takes, by pg_stat_statements, with everything in it: pings, BEGIN, set_config().

Usage: statements.py      prints TAP

What the program asks before its first request (who is the primary, where are flags) is left out, and nothing else is.
"""
import itertools
import json

import apitest
from apitest import NOW, check, same
from oracle import World

HOOK_SECRET = "hook-secret-of-the-tests-0123456789"
TIMES = 20
MOST = 4
PROLOGUE = 3  # BEGIN, set_config(), and the end of the transaction


def requests(world, user):
    """(route, path, queries that the description gives the naive form)"""
    assistant = max(world.assistants[user], key=lambda row: len(world.dialogs_of_assistant(user, row["id"])[0]))["id"]
    knowing = max(world.assistants[user], key=lambda row: world.documents_of(user, row["id"])[1])["id"]
    dialog = world.dialogs[user][0]["id"]
    yield "assistants", "/assistants?active=true", world.assistants_of(user, True)[1]
    yield "stats", "/assistants/stats", world.stats_of(user)[1]
    yield "assistant_dialogs", f"/assistants/{assistant}/dialogs", world.dialogs_of_assistant(user, assistant)[1]
    yield "documents", f"/assistants/{knowing}/documents", world.documents_of(user, knowing)[1]
    yield "messages", f"/dialogs/{dialog}/messages", world.messages_of(user, dialog)[1]
    yield "dialogs", "/dialogs?page=2&limit=5", world.dialogs_of(user, 2, 5)[1]
    yield "bots", "/bot-instances", world.bots_of(user)[1]
    yield "balance", "/balance", world.balance_of(user)[1]


def busiest(world):
    """A user who has something of everything."""
    return max((user for user in world.users if world.bots[user] and world.knowledge[user] and len(world.dialogs[user]) > 10),
               key=lambda user: len(world.assistants[user]))


def opening_texts(counted, base, variant, secret):
    """What is sent without a request: of a server that has started and is ready, and has opened its sessions."""
    counted.reset()
    server = apitest.Server(base, variant, ["--webhook-secret-file", secret, "--bot-rate", "1000"])
    return server, set(counted.calls())


def writes(world, user, base, server):
    """(route, what asks for it) of those that are no GET; each webhook is another update."""
    assistant = world.knowledge[user][0]["assistant_id"] or world.assistants[user][0]["id"]
    vector = base.rows("SELECT embedding::text AS v FROM public.knowledge_embeddings ORDER BY id LIMIT 1")[0]["v"]
    embedding = '{"embedding":' + vector + "}"
    numbers = itertools.count(1)
    bot = world.bots[user][0]["id"]
    header = {"X-Telegram-Bot-Api-Secret-Token": apitest.hook_token(HOOK_SECRET, bot)}

    def update():
        number = next(numbers)
        return server.post(f"/telegram/webhook/{bot}", headers=header, body={"update_id": number, "message": {
            "message_id": number, "date": 1795000000, "chat": {"id": 77, "type": "private", "first_name": "Анна"},
            "from": {"id": 77, "is_bot": False, "first_name": "Анна"}, "text": "Сколько стоит доставка?"}})

    yield "search by vector", lambda: server.post(f"/assistants/{assistant}/search", embedding, user)
    yield "search by words", lambda: server.post(f"/assistants/{assistant}/search", {"text": "доставка"}, user)
    yield "webhook", update


def count(counted, ask, ignored):
    """Statements that requests took: (by pg_stat_statements, by X-Query-Count), for each of them the same."""
    ask()  # sessions are opened, queries prepared
    counted.reset()
    answers = [ask() for _ in range(TIMES)]
    said = {int(answer.header("x-query-count")) for answer in answers}
    bad = [answer for answer in answers if answer.status != 200]
    if bad:
        return None, bad[0], None
    calls = {text: calls for text, calls in counted.calls().items() if text not in ignored}
    return sum(calls.values()) / TIMES, said, calls


def judge_optimised(name, found):
    taken, said, calls = found
    if taken is None:
        check(False, f"optimised {name}", said)
        return
    check(taken <= MOST, f"optimised {name}: {taken:g} statements, at most {MOST}", json.dumps(calls, indent=1))
    same(said, {int(taken)} if taken == int(taken) else taken, f"optimised {name}: X-Query-Count says the same")


def main():
    base = apitest.database("api_statements")
    world = World(base, NOW)
    user = busiest(world)
    counted = apitest.Statements(base)
    with apitest.secret_file(HOOK_SECRET) as secret:
        server, opening = opening_texts(counted, base, "naive", secret)
        for route, path, queries in requests(world, user):
            taken, said, calls = count(counted, lambda path=path: server.get(path, user), opening)
            same(taken, queries + PROLOGUE, f"naive {route}: {queries} queries and BEGIN, set_config(), COMMIT")
            same(said, {queries + PROLOGUE}, f"naive {route}: X-Query-Count says the same")
        same(server.stop(), 0, "naive: it ends with status 0")
        server, opening = opening_texts(counted, base, "optimised", secret)
        for route, path, _ in requests(world, user):
            judge_optimised(route, count(counted, lambda path=path: server.get(path, user), opening))
        for route, ask in writes(world, user, base, server):
            judge_optimised(route, count(counted, ask, opening))
        same(server.stop(), 0, "optimised: it ends with status 0")
        server, opening = opening_texts(counted, base, "rollup", secret)
        judge_optimised("stats by rollup", count(counted, lambda: server.get("/assistants/stats", user), opening))
        same(server.stop(), 0, "rollup: it ends with status 0")
    apitest.done()


if __name__ == "__main__":
    main()
