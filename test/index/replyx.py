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
# replyx/indexes/critical.sql, by hand: table, keys in order, descending or not.
CRITICAL = {
    "dialog_messages": [("dialog_id", False), ("timestamp", True)],
    "assistants": [("user_id", False), ("is_active", False), ("created_at", True)],
    "dialogs": [("assistant_id", False), ("started_at", True)],
    "knowledge_embeddings": [("assistant_id", False), ("importance", True), ("created_at", True)],
}


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
        self.base.sql("SELECT pg_stat_statements_reset()")
        self.env = {**env, "PGMEND_STATE_DIR": str(FOLDER / "state")}
        self.hook = FOLDER / "hook_secret"
        self.hook.write_text(HOOK_SECRET)
        self.hook.chmod(0o600)

    def load(self, name):
        """The plan's scenario, a few people of it, for some seconds, on the naive forms."""
        server = apitest.Server(self.base, "naive", ["--webhook-secret-file", str(self.hook)])
        ended = pgmend("--db-url", self.base.url(os.environ["PGUSER"]), "load", "run",
                       apitest.ROOT / "replyx/load/plan.ini", "--target", f"127.0.0.1:{server.port}", "--scale", "0.01",
                       "-D", f"jwt_secret={server.folder / 'secret'}", "-D", f"webhook_secret={self.hook}",
                       "-D", "users=800", "-D", "newcomers=100", "-D", "bots=500", "-D", "think=100ms",
                       "-D", "updates=300/s", "-D", "ramp_up=0s", "-D", "warm_up=0s", "-D", "duration=15s",
                       "--output", FOLDER / f"{name}.json")
        server.stop()
        result = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        same([one["name"] for one in result["scripts"] if not one["calls"]], [],
             f"{name}: each of the scenario's requests occurs")
        return ended

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


def check_critical(advice, way):
    check(way in advice["way"], f"costs come from {way}", advice["way"])
    for table, wanted in CRITICAL.items():
        found = [keys_of(index) for index in advice["indexes"] if index["table"] == table and index["method"] == "btree"]
        check(wanted in found, f"{way}: {table} gets {wanted}", found)
    check(advice["after"] < advice["before"] / 2, f"{way}: the workload costs less than half",
          [advice["before"], advice["after"]])


def test_advice(stage):
    scratch = stage.advise("--what-if", "scratch")
    check_critical(scratch, "scratch")
    stage.base.sql("CREATE EXTENSION hypopg")
    hypopg = stage.advise("--what-if", "hypopg", "-o", FOLDER / "advice.plan")
    check_critical(hypopg, "HypoPG")
    stage.base.sql("DROP EXTENSION hypopg")
    check(abs(scratch["before"] - hypopg["before"]) <= 0.01 * hypopg["before"],
          "both ways say the same of what the workload costs now", [scratch["before"], hypopg["before"]])


def test_promises(stage):
    """Apply, load again, prove: the four are used, and what they were built for got cheaper."""
    ended = stage.run("apply", FOLDER / "advice.plan", "--override", "all", "--reason", "a test", "--attest-wal-free",
                      "10GB", "--attest-data-free", "10GB")
    check(ended.status == 0, "the plan is applied", ended)
    invalid = stage.base.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
    same(invalid, "0", "no index is invalid")
    stage.load("again")
    ended = stage.run("--json", "index", "prove", "--min-calls", "5")
    check(ended.status == 0, "index prove", ended)
    for one in ended.json()["indexes"]:
        scans = stage.base.value("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = "
                                 f"'{one['name']}'")
        same(str(one["scans"]), scans, f"{one['name']}: scans are the server's")
        check(one["verdict"] in ("pays", "used", "too early"), f"{one['name']} {one['verdict']}: {one['why']}", one)
    pays = {one["name"] for one in ended.json()["indexes"] if one["verdict"] == "pays"}
    check(len(pays) >= 4, "at least four pay", sorted(pays))


def main():
    stage = Stage()
    stage.load("before")
    test_advice(stage)
    test_promises(stage)
    done()


main()
