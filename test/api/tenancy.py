"""What is one user's is seen by no other: every route in every variant, and the role of the API without any program.

Usage: tenancy.py      prints TAP

Every text of two users is marked with whose it is. The numbers of what is B's, asked by A, get the very bytes that
numbers get that nobody has.
"""
import json
import re
import threading

import apitest
from apitest import ROOT, check, same

HOOK_SECRET = "hook-secret-of-the-tests-0123456789"
VARIANTS = ("naive", "optimised", "rollup")
NOBODYS = 2147483647
# What each marked text stands in, and how its rows are found by the user's number.
MARKED = (
    ("assistants", "name", "user_id = {user}"),
    ("documents", "filename", "user_id = {user}"),
    ("user_knowledge", "content", "user_id = {user}"),
    ("knowledge_embeddings", "chunk_text", "user_id = {user}"),
    ("dialogs", "first_name", "user_id = {user}"),
    ("dialog_messages", "text", "dialog_id IN (SELECT id FROM public.dialogs WHERE user_id = {user})"),
    ("bot_instances", "platform", "user_id = {user}"),
    ("balance_transactions", "description", "user_id = {user}"),
    ("users", "email", "id = {user}"),
)


class Tenant:
    """A user and the numbers of what is his."""

    def __init__(self, base, user, mark):
        self.user, self.mark = user, mark
        for table, column, where in MARKED:
            base.sql(f"UPDATE public.{table} SET {column} = '{mark} ' || coalesce({column}, '')"
                     f" WHERE {where.format(user=user)}")

        def first(sql):
            return int(base.value(sql.format(user=user)))

        self.assistant = first("SELECT assistant_id FROM public.knowledge_embeddings WHERE user_id = {user}"
                               " AND assistant_id IS NOT NULL ORDER BY id LIMIT 1")
        self.dialog = first("SELECT d.id FROM public.dialogs AS d WHERE d.user_id = {user} AND EXISTS"
                            " (SELECT FROM public.dialog_messages AS m WHERE m.dialog_id = d.id) ORDER BY d.id LIMIT 1")
        self.busy = first("SELECT assistant_id FROM public.dialogs WHERE id = " + str(self.dialog))
        self.knowing = first("SELECT assistant_id FROM public.user_knowledge WHERE user_id = {user}"
                             " AND assistant_id IS NOT NULL ORDER BY id LIMIT 1")
        self.bot = first("SELECT id FROM public.bot_instances WHERE user_id = {user} ORDER BY id LIMIT 1")


def choose(base):
    """Two users who have something of everything."""
    return [int(text) for text in base.sql(
        "SELECT u.id FROM public.users AS u WHERE " + " AND ".join(
            f"EXISTS (SELECT FROM public.{table} AS t WHERE t.user_id = u.id{more})" for table, more in (
                ("assistants", ""), ("dialogs", ""), ("bot_instances", ""), ("balance_transactions", ""),
                ("user_knowledge", " AND t.assistant_id IS NOT NULL"),
                ("knowledge_embeddings", " AND t.assistant_id IS NOT NULL"))) + " ORDER BY u.id LIMIT 2").split()]


def question(base):
    """A vector of a chunk, as text."""
    return base.value("SELECT embedding FROM public.knowledge_embeddings ORDER BY id LIMIT 1")


# (endpoint, what asks for everything that a user has, without any number of his)
LISTS = (
    ("assistants", lambda server, user: server.get("/assistants", user)),
    ("stats", lambda server, user: server.get("/assistants/stats", user)),
    ("dialogs", lambda server, user: server.get("/dialogs?limit=100", user)),
    ("bots", lambda server, user: server.get("/bot-instances", user)),
    ("balance", lambda server, user: server.get("/balance", user)),
)


def numbered(vector):
    """(endpoint, which of the tenant's numbers it takes, what asks for one)"""
    yield "assistant_dialogs", "busy", lambda server, number, user: server.get(f"/assistants/{number}/dialogs", user)
    yield "documents", "knowing", lambda server, number, user: server.get(f"/assistants/{number}/documents", user)
    yield "messages", "dialog", lambda server, number, user: server.get(f"/dialogs/{number}/messages", user)
    for mode in ("fast", "balanced", "accurate", "multi_stage", "hybrid"):
        body = json.dumps({"mode": mode, "limit": 5, "text": "доставка"})[:-1] + ', "embedding": ' + vector + "}"
        yield "search", "assistant", lambda server, number, user, body=body: server.post(
            f"/assistants/{number}/search", body, user)
    yield "search", "assistant", lambda server, number, user: server.post(
        f"/assistants/{number}/search", {"text": "A-MARK B-MARK", "mode": "hybrid"}, user)


def every_endpoint():
    """Names of the endpoints in the sources: one that is added has to be thought of here."""
    names = set()
    for path in (ROOT / "src/replyx/endpoints").glob("*.c"):
        text = path.read_text(encoding="utf-8")
        names.update(re.findall(r'const struct endpoint endpoint_\w+ = \{\s*\.name = "(\w+)"', text))
    return names


def is_clean(answer, own, other):
    return own.mark.encode() in answer.body and other.mark.encode() not in answer.body


def check_variant(server, variant, pair, vector):
    a, b = pair
    for name, ask in LISTS:
        for own, other in ((a, b), (b, a)):
            answer = ask(server, own.user)
            check(answer.status == 200 and is_clean(answer, own, other),
                  f"{variant}: {name} of {own.mark} has his rows alone", answer)
    for name, attribute, ask in numbered(vector):
        mine = ask(server, getattr(a, attribute), a.user)
        check(mine.status == 200 and b.mark.encode() not in mine.body, f"{variant}: {name} of what is A's", mine)
        theirs = ask(server, getattr(b, attribute), b.user)
        stolen = ask(server, getattr(b, attribute), a.user)
        nobodys = ask(server, NOBODYS, a.user)
        check(theirs.status == 200 and (b.mark.encode() in theirs.body or theirs.body == b"[]"),
              f"{variant}: {name}: it is there for B", theirs)
        same((stolen.status, stolen.body), (404, nobodys.body), f"{variant}: {name}: for A it is as if it were not")
        same(nobodys.status, 404, f"{variant}: {name}: what nobody has")
    check(b"B-MARK" in server.get(f"/dialogs/{b.dialog}/messages", b.user).body, f"{variant}: the marks are there")


def check_webhook(base, server, pair):
    a, b = pair
    update = {"update_id": 1, "message": {"message_id": 1, "date": 1795000000, "text": "привет",
                                          "chat": {"id": 5, "type": "private"}}}
    before = base.value("SELECT count(*) FROM public.dialog_messages")
    header = {"X-Telegram-Bot-Api-Secret-Token": apitest.hook_token(HOOK_SECRET, a.bot)}
    stolen = server.post(f"/telegram/webhook/{b.bot}", update, headers=header)
    nobodys = server.post(f"/telegram/webhook/{NOBODYS}", update, headers=header)
    check(stolen.status in (401, 403, 404), "webhook: A's secret does not open B's bot", stolen)
    same((nobodys.status, nobodys.body), (stolen.status, stolen.body), "webhook: nor does it tell which bots there are")
    same(base.value("SELECT count(*) FROM public.dialog_messages"), before, "webhook: nothing is written")


def check_same_connections(server, pair):
    """Both ask at the same time, again and again, on two connections to the database."""
    wrong = []

    def ask(own, other):
        for _ in range(60):
            for path in ("/assistants", f"/dialogs/{own.dialog}/messages", "/dialogs?limit=20"):
                answer = server.get(path, own.user)
                if answer.status != 200 or not is_clean(answer, own, other):
                    wrong.append((own.mark, path, answer))
        server.close()

    threads = [threading.Thread(target=ask, args=pair if i % 2 else pair[::-1]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(wrong[:3], [], "720 requests of both side by side on few connections: each gets his own")


def as_role(base, sql):
    """What the role of the API gets, without the API."""
    return apitest.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", base.url()], stdin=sql).rstrip("\n")


def fails(base, sql):
    result = apitest.subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", base.url()], input=sql,
                                    capture_output=True, text=True, check=False)
    return result.returncode != 0 and "permission denied" in result.stderr


READABLE = ("SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p', 'v', 'm')"
            " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')"
            " AND has_any_column_privilege('replyx_api', c.oid, 'SELECT') ORDER BY 1")


def check_role(base, pair):
    a, b = pair
    tables = base.sql(READABLE).split()
    check(len(tables) >= 9, "the role reads the tables of the endpoints", tables)
    same(base.sql("SELECT relname FROM pg_class WHERE relname IN (" + READABLE.replace(" ORDER BY 1", "")
                  + ") AND relnamespace = 'public'::regnamespace AND NOT relrowsecurity"), "",
         "each of them has row-level security")
    same(base.sql("SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'replyx_api'"),
         "f|f|f|f", "the role can get round nothing")
    for table in tables:
        same(as_role(base, f"SELECT count(id) FROM public.{table}"), "0", f"{table}: nobody signed in, no rows")
        same(as_role(base, f"BEGIN; SELECT FROM set_config('replyx.user_id', '{a.user}', true); COMMIT;"
                           f"SELECT count(id) FROM public.{table}"), "0", f"{table}: none after a transaction either")
        owner = {"users": "id = {user}", "dialog_messages": MARKED[5][2]}.get(table, "user_id = {user}")
        mine = base.value(f"SELECT count(*) FROM public.{table} WHERE {owner.format(user=a.user)}")
        found = as_role(base, f"BEGIN; SELECT FROM set_config('replyx.user_id', '{a.user}', true);"
                              f"SELECT count(id) FROM public.{table}; COMMIT")
        same(found, mine, f"{table}: what is A's and nothing else")
    check(fails(base, "SELECT hashed_password FROM public.users"), "no hashes of passwords")
    check(fails(base, "SELECT bot_token FROM public.bot_instances"), "no tokens of bots")
    check(fails(base, "SELECT * FROM replyx_api.api_token"), "no tokens of users")
    for sql in (f"UPDATE public.assistants SET name = '' WHERE id = {b.assistant}",
                f"DELETE FROM public.dialogs WHERE id = {b.dialog}",
                "INSERT INTO public.users (email, hashed_password) VALUES ('x', 'x')",
                "TRUNCATE public.dialog_messages", "CREATE TABLE replyx_api.mine ()", "CREATE TABLE public.mine ()",
                "SELECT replyx_api.create_token(1, 'mine')", "SELECT replyx_api.revoke_token('rx_')"):
        check(fails(base, sql), "the role may not: " + sql.split(" WHERE")[0][:70])
    same(base.sql("SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace IN"
                  " (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'replyx_api')) AND p.prosecdef"
                  " AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c WHERE c LIKE 'search_path=pg_catalog%')"), "",
         "every function that runs with its owner's rights has a pinned search_path")
    same(base.sql("SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'replyx_api'::regnamespace"
                  " AND p.prosecdef AND has_function_privilege('public', p.oid, 'EXECUTE')"), "",
         "none of them may be called by everybody")


def main():
    base = apitest.database("tenancy")
    users = choose(base)
    pair = [Tenant(base, user, mark) for user, mark in zip(users, ("A-MARK", "B-MARK"))]
    vector = question(base)
    base.sql("ANALYZE")
    check_role(base, pair)
    tested = {name for name, _ in LISTS} | {name for name, _, _ in numbered(vector)}
    same(every_endpoint() - tested, {"login", "webhook", "health", "metrics"}, "every other endpoint is asked below")
    with apitest.secret_file(HOOK_SECRET) as secret:
        for variant in VARIANTS:
            server = apitest.Server(base, variant, ["--webhook-secret-file", secret])
            check_variant(server, variant, pair, vector)
            if variant == "naive":
                check_webhook(base, server, pair)
            server.stop()
        # Without row-level security: what the queries say themselves has to be enough.
        base.role = base.value("SELECT current_user")
        same(base.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"), "t", "a role without row security")
        for variant in VARIANTS:
            server = apitest.Server(base, variant)
            check_variant(server, variant + " without row security", pair, vector)
            server.stop()
        base.role = apitest.ROLE
        for variant in ("naive", "optimised"):
            server = apitest.Server(base, variant, ["--pool-size", "1", "--max-overflow", "0", "--shared-size", "1"])
            check_same_connections(server, pair)
            server.stop()
    apitest.done()


if __name__ == "__main__":
    main()
