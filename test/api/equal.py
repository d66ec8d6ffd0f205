"""The variants of every GET endpoint give the same bytes, and these say what the application's description says.

Usage: equal.py      prints TAP

For each user of the generated rows and of corners.sql, every request about what is his goes to a server of each variant. The
bytes are compared; what they mean is compared with oracle.py, which works it out from the rows. Then rewrites that are wrong,
among them the team's earlier ones, are compared in the same way and must be seen.
"""
import json
import pathlib

import apitest
from apitest import NOW, check, same
from oracle import World

HERE = pathlib.Path(__file__).resolve().parent
MOST_STATEMENTS = 4

# Rewrites that look right. Each differs from the description in one way that tests on tidy rows do not see.
WRONG = {
    "stats: messages of dialogs that began in the window, dialogs without answers dropped (the team's own)": (
        lambda world, user: [(row["id"], row["messages"], row["dialogs"]) for row in world.stats_of(user)[0]["byAssistant"]],
        """SELECT json_build_array(a.id, count(m.id), count(DISTINCT d.id)) FROM assistants a
             LEFT JOIN dialogs d ON d.assistant_id = a.id AND d.user_id = a.user_id AND d.started_at >= {now} - interval '30 days'
             LEFT JOIN dialog_messages m ON m.dialog_id = d.id
            WHERE a.user_id = {user} AND m.sender = 'assistant' GROUP BY a.id ORDER BY a.created_at DESC, a.id DESC"""),
    "stats: the condition on the outer join's inner side drops assistants without messages": (
        lambda world, user: [(row["id"], row["messages"]) for row in world.stats_of(user)[0]["byAssistant"]],
        """SELECT json_build_array(a.id, count(m.id)) FROM assistants a
             LEFT JOIN dialogs d ON d.assistant_id = a.id AND d.user_id = a.user_id
             LEFT JOIN dialog_messages m ON m.dialog_id = d.id AND m.sender = 'assistant'
            WHERE a.user_id = {user} AND m.timestamp >= {now} - interval '30 days'
            GROUP BY a.id ORDER BY a.created_at DESC, a.id DESC"""),
    "dialogs of an assistant: an inner join drops dialogs without messages": (
        lambda world, user: [(row["id"], row["message_count"]) for one in world.assistants[user]
                             for row in world.dialogs_of_assistant(user, one["id"])[0]],
        """SELECT json_build_array(d.id, count(m.id)) FROM dialogs d JOIN dialog_messages m ON m.dialog_id = d.id
            WHERE d.user_id = {user} AND d.assistant_id IN (SELECT id FROM assistants WHERE user_id = {user}) GROUP BY d.id"""),
    "documents: a join instead of EXISTS gives a document as often as it is known": (
        lambda world, user: [row["id"] for one in world.assistants[user] for row in world.documents_of(user, one["id"])[0]],
        """SELECT to_json(d.id) FROM user_knowledge k JOIN documents d ON d.id = k.doc_id AND d.user_id = {user}
             JOIN assistants a ON a.id = k.assistant_id AND a.user_id = {user} WHERE k.user_id = {user}"""),
    "documents: the owner of the document is not looked at": (
        lambda world, user: [row["id"] for one in world.assistants[user] for row in world.documents_of(user, one["id"])[0]],
        """SELECT to_json(d.id) FROM assistants a CROSS JOIN LATERAL (SELECT DISTINCT doc_id FROM user_knowledge k
            WHERE k.assistant_id = a.id AND k.user_id = {user}) k JOIN documents d ON d.id = k.doc_id WHERE a.user_id = {user}"""),
    "bots: an inner join drops bots whose assistant is gone": (
        lambda world, user: [row["id"] for row in world.bots_of(user)[0]],
        """SELECT to_json(b.id) FROM bot_instances b JOIN assistants a ON a.id = b.assistant_id AND a.user_id = {user}
            WHERE b.user_id = {user}"""),
    "dialogs: without the id, what began at the same time has no order": (
        lambda world, user: [row["id"] for row in world.dialogs_of(user, 1, 20)[0]["items"]],
        "SELECT to_json(id) FROM dialogs WHERE user_id = {user} ORDER BY started_at DESC, id LIMIT 20"),
}


def is_asked(variant, path):
    """The third variant is one of the statistics alone."""
    return variant != "rollup" or path == "/assistants/stats"


def compare(world, servers):
    """Asks for everything; what went wrong, by kind."""
    wrong = {"bytes": [], "meaning": [], "status": [], "headers": [], "statements": [], "naive statements": []}
    asked = {name: 0 for name in servers}
    for user in sorted(world.users):
        for path, expected, queries in world.requests_of(user):
            answers = {name: server.get_often(path, user) for name, server in servers.items() if is_asked(name, path)}
            naive = answers["naive"]
            asked["naive"] += 1
            if naive.status != (404 if expected is None else 200) or naive.header("content-type") != "application/json":
                wrong["status"].append((path, user, naive))
            elif expected is not None and not means(naive.body, expected):
                wrong["meaning"].append((path, user, naive.body[:1500], json.dumps(expected, ensure_ascii=False)[:1500]))
            if not is_naive_count(naive, queries):
                wrong["naive statements"].append((path, user, naive.header("x-query-count"), queries))
            for name, answer in answers.items():
                if answer.header("x-variant") != name or "server-timing" not in answer.headers:
                    wrong["headers"].append((path, user, name, answer.headers))
                if name == "naive":
                    continue
                asked[name] += 1
                if (answer.status, answer.body) != (naive.status, naive.body):
                    wrong["bytes"].append((path, user, name, answer.body[:1500], naive.body[:1500]))
                if not 1 <= int(answer.header("x-query-count", "0")) <= MOST_STATEMENTS:
                    wrong["statements"].append((path, user, name, answer.header("x-query-count")))
    return wrong, asked


def means(body, expected):
    """Whether the bytes are this JSON, members in this order, without white space between them."""
    try:
        found = json.loads(body, object_pairs_hook=list)
    except ValueError:
        return False
    return found == json.loads(json.dumps(expected), object_pairs_hook=list)


def is_naive_count(answer, queries):
    """BEGIN, set_config() and the end of the transaction come to what the description counts, after a 404 too."""
    return answer.header("x-query-count") == str(queries + 3)


def see_wrong_rewrites(base, world):
    """How many users' answers a wrong rewrite would have changed."""
    now = f"timestamp '{NOW.rstrip('Z')}'"
    for name, (right, query) in WRONG.items():
        statements = [f"SELECT json_build_array({user}, (SELECT json_agg(r) FROM ({query.format(user=user, now=now)}) AS q (r)))"
                      for user in world.users]
        differing = 0
        for line in base.sql(";\n".join(statements)).split("\n"):
            user, found = json.loads(line)
            wanted = json.loads(json.dumps(right(world, user)))
            differing += (found or []) != wanted if "order" in name else sorted(found or []) != sorted(wanted)
        check(differing > 0, f"a wrong rewrite would be seen, by {differing} users: {name}")


def see_planted_variant(base, world, naive):
    """The team's own rewrite, as a variant of the program: the comparison of bytes sees it."""
    server = apitest.Server(base, "team", ["--hidden-variants"], is_trusting=True)
    server.token = str
    path = "/assistants/stats"
    differing = [user for user in world.users if server.get(path, user).body != naive.get(path, user).body]
    check(differing, f"the team's own rewrite, run by the program, is seen by {len(differing)} users")
    server.stop()


def main():
    base = apitest.database("api_equal")
    base.sql((HERE / "corners.sql").read_text(encoding="utf-8"))
    world = World(base, NOW)
    see_wrong_rewrites(base, world)
    servers = {name: apitest.Server(base, name, is_trusting=True) for name in ("naive", "optimised", "rollup")}
    for server in servers.values():
        server.token = str
    wrong, asked = compare(world, servers)
    names = {"bytes": "each variant gives the same bytes as the naive one",
             "meaning": "the answers are those that the description gives",
             "status": "what is the user's is answered with 200, what is not with 404, both as JSON",
             "headers": "each answer tells its variant and its timing",
             "statements": f"at most {MOST_STATEMENTS} statements, as the answer counts them",
             "naive statements": "the naive form asks as often as the description says"}
    for kind, name in names.items():
        check(not wrong[kind], f"{name} ({asked['naive']} requests of {len(world.users)} users)",
              f"{len(wrong[kind])} times; the first: " + "\n".join(map(str, wrong[kind][:3])))
    check(asked["optimised"] == asked["naive"] > 3000 and asked["rollup"] == len(world.users), "every variant was asked", asked)
    see_planted_variant(base, world, servers["naive"])
    for server in servers.values():
        same(server.stop(), 0, "the server ends by SIGTERM with status 0")
    apitest.done()


if __name__ == "__main__":
    main()
