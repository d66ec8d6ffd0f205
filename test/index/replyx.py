"""The four critical indexes of ReplyX, found again from the naive back end's own statements, by both ways of asking.

Then the plan is applied, the same load runs again, and what was promised is compared with what happened.

Usage: replyx.py      prints TAP
"""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "load"))
# pylint: disable-next=wrong-import-position
from loadtest import FOLDER, apitest, check, done, pgmend, same

HOOK_SECRET = "a secret of the webhooks, which is long enough"
# Of this database alone: others run beside it.
RESET = "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)"
NAIVE = apitest.ROOT / "replyx/load/naive"
# replyx/indexes/critical.sql, by hand: table, keys in order, descending or not.
CRITICAL = {
    "dialog_messages": [("dialog_id", False), ("timestamp", True)],
    "assistants": [("user_id", False), ("is_active", False), ("created_at", True)],
    "dialogs": [("assistant_id", False), ("started_at", True)],
    "knowledge_embeddings": [("assistant_id", False), ("importance", True), ("created_at", True)],
}


# People with an assistant, a dialog of it, and a bot; of few rows, for the naive forms to answer in time.
PEOPLE = """SELECT DISTINCT ON (a.user_id) a.user_id, a.id AS assistant, d.id AS dialog, b.id AS bot
              FROM bot_instances AS b
              JOIN assistants AS a ON a.id = b.assistant_id
              JOIN dialogs AS d ON d.assistant_id = a.id
             WHERE a.is_active AND b.is_active
               AND (SELECT count(*) FROM assistants AS o WHERE o.user_id = a.user_id) BETWEEN 2 AND 4
               AND (SELECT count(*) FROM dialogs AS o WHERE o.assistant_id = a.id) BETWEEN 5 AND 20
             ORDER BY a.user_id, d.id DESC
             LIMIT 4"""


class Stage:
    """A database as it was before anybody thought of indexes, and the naive back end on it."""

    def __init__(self):
        name = f"pgmend_test_index_{os.getpid()}"
        apitest.psql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        apitest.psql(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
        self.base = apitest.Database(name)
        apitest.atexit.register(self.base.drop)
        env = {**os.environ, "PGDATABASE": name, "PGMEND_NO_INPUT": "1", "LC_ALL": "C.UTF-8"}
        apitest.run([*apitest.ALEMBIC, "-c", str(apitest.ROOT / "replyx/alembic.ini"), "upgrade", "head"], env=env)
        apitest.run([apitest.program("REPLYX_DATA"), "--scale", "small", "--seed", apitest.SEED, "--now", apitest.NOW,
                     "--fast", "--quiet"], env=env)
        functions = apitest.run([apitest.program("PGMEND"), "--state-dir", str(FOLDER / "state"), "vector", "install",
                                 "--print"], env=env)
        self.base.sql(f"CREATE EXTENSION IF NOT EXISTS pg_stat_statements;\n{functions}\nVACUUM ANALYZE;")
        apitest.run([str(apitest.ROOT / "replyx/api/install")], env=env)
        self.base.sql(RESET)
        self.env = {**env, "PGMEND_STATE_DIR": str(FOLDER / "state")}
        self.hook = FOLDER / "hook_secret"
        self.hook.write_text(HOOK_SECRET)
        self.hook.chmod(0o600)

    def ask(self):
        """Every endpoint of the plan in its naive form, the light ones more often, as people do; all must answer."""
        server = apitest.Server(self.base, "naive", ["--webhook-secret-file", str(self.hook)])
        bad = []

        def get(path, user):
            answer = server.get(path, user)
            if answer.status != 200:
                bad.append((path, answer.status))

        for one in self.base.rows(PEOPLE):
            user, assistant, dialog, bot = one["user_id"], one["assistant"], one["dialog"], one["bot"]
            for _ in range(10):
                get("/assistants?active=true", user)
                get("/bot-instances", user)
                get("/balance", user)
            for _ in range(5):
                get(f"/dialogs/{dialog}/messages?limit=50", user)
                get(f"/assistants/{assistant}/documents", user)
            get("/assistants/stats", user)
            get(f"/assistants/{assistant}/dialogs", user)
            get("/dialogs?page=1&limit=20", user)
            for mode in ("fast", "hybrid"):
                answer = server.post(f"/assistants/{assistant}/search",
                                     {"embedding": [1.0] + [0.0] * 1535, "mode": mode, "text": "цена", "limit": 5}, user)
                if answer.status != 200:
                    bad.append((mode, answer.status))
            update = {"update_id": int(dialog), "message": {"message_id": 1, "date": 1700000000, "text": "цена",
                                                            "chat": {"id": 7, "type": "private"}}}
            answer = server.request("POST", f"/telegram/webhook/{bot}", body=update, headers={
                "X-Telegram-Bot-Api-Secret-Token": apitest.hook_token(HOOK_SECRET, bot)})
            if answer.status != 200:
                bad.append(("webhook", answer.status, answer.body[:200]))
        server.stop()
        same(bad, [], "every endpoint answers")

    def run(self, *words):
        return pgmend("--db-url", self.base.url(os.environ["PGUSER"]), *words, env=self.env)

    def advise(self, *words):
        ended = self.run("--json", "index", "advise", *words)
        if ended.status != 0:
            check(False, f"index advise {' '.join(map(str, words))}", ended)
            done()
        return ended.json()


def keys_of(index):
    return [(key["key"].strip('"'), key["descending"]) for key in index["keys"]]


def either_way(advice):
    """What is advised. Behind dialog_id, timestamp is read from either end at the same cost: both answers are right."""
    return [index["definition"].replace('(dialog_id, "timestamp" DESC)', '(dialog_id, "timestamp")')
            for index in advice["indexes"]]


def check_critical(advice, way, what):
    check(way in advice["way"], f"{what}: costs come from {way}", advice["way"])
    found = {}
    for index in advice["indexes"]:
        found.setdefault(index["table"], []).append(keys_of(index))
    # Read from its other end, such an index gives the same.
    mirrored = [("dialog_id", False), ("timestamp", False)]
    if found.get("dialog_messages") == [mirrored]:
        found["dialog_messages"] = [CRITICAL["dialog_messages"]]
    same(found, {table: [keys] for table, keys in CRITICAL.items()}, f"{what}, {way}: the four critical ones, nothing else")
    check(advice["after"] < advice["before"] / 20, f"{what}, {way}: the workload costs a fraction",
          [advice["before"], advice["after"]])


def test_naive(stage):
    """The plan's naive queries: from counters and from files, with a scratch server and with HypoPG."""
    stage.base.sql(RESET)
    ended = pgmend("--db-url", stage.base.url(os.environ["PGUSER"]), "load", "run", NAIVE, "--clients", "2", "-D",
                   "users=2000", "-D", "assistants=3000", "-D", "dialogs=60000", "--duration", "6s", "--output",
                   FOLDER / "naive.json")
    result = json.loads((FOLDER / "naive.json").read_text(encoding="utf-8"))
    same([one["name"] for one in result["scripts"] if not one["calls"]], [], f"each naive query runs ({ended.status})")
    scratch = stage.advise("--what-if", "scratch")
    check_critical(scratch, "scratch", "counters")
    check_critical(stage.advise("--what-if", "scratch", NAIVE), "scratch", "files")
    stage.base.sql("CREATE EXTENSION hypopg")
    hypopg = stage.advise("--what-if", "hypopg")
    check_critical(hypopg, "HypoPG", "counters")
    check_critical(stage.advise("--what-if", "hypopg", NAIVE), "HypoPG", "files")
    stage.base.sql("DROP EXTENSION hypopg")
    costs = {one["fingerprint"]: one["cost_before"] for index in scratch["indexes"] for one in index["helps"]}
    others = {one["fingerprint"]: one["cost_before"] for index in hypopg["indexes"] for one in index["helps"]}
    same(sorted(costs), sorted(others), "both ways help the same statements")
    same(sorted(either_way(scratch)), sorted(either_way(hypopg)), "and give the same advice")


def test_promises(stage):
    """All endpoints of the naive back end: advice, apply, the same again, prove. Nobody told it what is critical."""
    stage.base.sql(RESET)
    stage.ask()
    advice = stage.advise("--what-if", "scratch", "-o", FOLDER / "advice.plan")
    check(advice["after"] < advice["before"] / 5, "all endpoints cost a fraction", [advice["before"], advice["after"]])
    ended = stage.run("apply", FOLDER / "advice.plan", "--override", "all", "--reason", "a test", "--attest-wal-free",
                      "10GB", "--attest-data-free", "10GB")
    check(ended.status == 0, "the plan is applied", ended)
    same(stage.base.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0", "no index is invalid")
    stage.ask()
    ended = stage.run("--json", "index", "prove", "--min-calls", "5")
    check(ended.status == 0, "index prove", ended)
    found = ended.json()["indexes"]
    same(sorted(one["name"] for one in found), sorted(index["name"] for index in advice["indexes"]),
         "each has its promise")
    for one in found:
        scans = stage.base.value(f"SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = '{one['name']}'")
        same(str(one["scans"]), scans, f"{one['name']}: scans are the server's")
        check(int(scans) > 0, f"{one['name']} is used", one)
        check(one["verdict"] in ("pays", "used"), f"{one['name']} {one['verdict']}: {one['why']}", one)


def main():
    stage = Stage()
    test_naive(stage)
    test_promises(stage)
    done()


main()
