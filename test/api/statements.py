"""How many statements a request really takes, by pg_stat_statements, with everything in it: pings, BEGIN, set_config().

Usage: statements.py      prints TAP

What the program asks before its first request (who is the primary, where are flags) is left out, and nothing else is.
"""
import json

import apitest
from apitest import NOW, check, same
from oracle import World

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


def opening_texts(counted, base, variant):
    """What is sent without a request: of a server that has started and is ready, and has opened its sessions."""
    counted.reset()
    server = apitest.Server(base, variant)
    return server, set(counted.calls())


def count(counted, server, ask, ignored):
    """Statements that requests took: (by pg_stat_statements, by X-Query-Count), for each of them the same."""
    ask()  # sessions are opened, queries prepared
    counted.reset()
    answers = [ask() for _ in range(TIMES)]
    said = {int(answer.header("x-query-count")) for answer in answers}
    bad = [answer for answer in answers if answer.status != 200]
    if bad:
        return None, bad[0]
    calls = {text: calls for text, calls in counted.calls().items() if text not in ignored}
    return sum(calls.values()) / TIMES, said, calls


def main():
    base = apitest.database("api_statements")
    world = World(base, NOW)
    user = busiest(world)
    counted = apitest.Statements(base)
    for variant in ("naive", "optimised"):
        server, opening = opening_texts(counted, base, variant)
        for route, path, queries in requests(world, user):
            found = count(counted, server, lambda: server.get(path, user), opening)
            if found[0] is None:
                check(False, f"{variant} {route}", found[1])
                continue
            taken, said, calls = found
            if variant == "naive":
                same(taken, queries + PROLOGUE, f"naive {route}: {queries} queries and BEGIN, set_config(), COMMIT")
            else:
                check(taken <= MOST, f"optimised {route}: {taken:g} statements, at most {MOST}", json.dumps(calls, indent=1))
            same(said, {int(taken)} if taken == int(taken) else taken, f"{variant} {route}: X-Query-Count says the same")
        same(server.stop(), 0, f"{variant}: it ends with status 0")
    apitest.done()


if __name__ == "__main__":
    main()
