"""What was promised of an index against what happened: used, unused, without gain, gone, undone.

Usage: prove.py      prints TAP
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "load"))
# pylint: disable-next=wrong-import-position
from loadtest import FOLDER, apitest, check, done, pgmend, same

APPLY = ["--override", "all", "--reason", "a test", "--attest-wal-free", "10GB", "--attest-data-free", "10GB"]
# Two tables of which each has a statement that wants an index.
SCHEMA = """
CREATE EXTENSION pg_stat_statements;
CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, note text);
INSERT INTO orders SELECT i, i % 5000, repeat('x', 80) FROM generate_series(1, 100000) AS i;
CREATE TABLE events (id int PRIMARY KEY, kind int NOT NULL, note text);
INSERT INTO events SELECT i, i % 5000, repeat('x', 80) FROM generate_series(1, 100000) AS i;
"""
# Of this database alone: others run beside it.
RESET = "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)"
ORDERS = "SELECT count(note) FROM orders WHERE customer = {}"
EVENTS = "SELECT count(note) FROM events WHERE kind = {}"


class Stage:
    def __init__(self):
        name = f"pgmend_test_prove_{os.getpid()}"
        apitest.psql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        apitest.psql(f'CREATE DATABASE "{name}"')
        self.base = apitest.Database(name)
        apitest.atexit.register(self.base.drop)
        self.base.sql(SCHEMA)
        self.base.sql("VACUUM ANALYZE")
        self.base.sql(RESET)
        self.env = {**os.environ, "PGMEND_STATE_DIR": str(FOLDER / "state")}

    def run(self, *words):
        return pgmend("--db-url", self.base.url(os.environ["PGUSER"]), *words, env=self.env)

    def ask(self, statement, times):
        """As many sessions' worth of calls as it takes, each with another constant."""
        self.base.sql(";\n".join(statement.format(17 * i % 5000) for i in range(times)))

    def prove(self, *words):
        ended = self.run("--json", "index", "prove", *words)
        check(ended.status == 0, f"index prove {' '.join(words)}", ended)
        return {one["name"]: one for one in ended.json()["indexes"]}


def test_before(stage):
    """Nothing promised: nothing to prove. A name that is unknown is told."""
    same(stage.prove(), {}, "without promises there is nothing to prove")
    ended = stage.run("index", "prove", "no_such_index")
    check(ended.status == 1 and "no_such_index" in ended.err, "an unknown index is named", ended)


def test_apply(stage):
    stage.ask(ORDERS, 40)
    stage.ask(EVENTS, 40)
    plan = FOLDER / "advice.plan"
    ended = stage.run("--json", "index", "advise", "-o", plan)
    check(ended.status == 0, "advice from what was asked", ended)
    found = {index["table"]: index for index in ended.json()["indexes"]}
    same(sorted(found), ["events", "orders"], "an index for each of the two tables")
    ended = stage.run("apply", plan, *APPLY)
    check(ended.status == 0, "the plan is applied", ended)
    return found["orders"]["name"], found["events"]["name"]


def test_early(stage, names):
    found = stage.prove("--min-calls", "20")
    same([found[name]["verdict"] for name in names], ["too early"] * 2, "before anybody asks it is too early")
    same([found[name]["taken_at_once"] for name in names], [True, True], "and the planner takes both")


def test_verdicts(stage, orders, events):
    """One is used. Of the other the rows are gone but a few, so that the planner reads the table instead."""
    stage.base.sql("DELETE FROM events WHERE id > 50")
    stage.base.sql("VACUUM (ANALYZE, FREEZE) events")
    stage.ask(ORDERS, 30)
    stage.ask(EVENTS, 30)
    scans = int(stage.base.value(f"SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = '{events}'"))
    same(scans, 0, "the server never scanned the second index")
    found = stage.prove("--min-calls", "20")
    same(found[orders]["verdict"], "pays", "the first pays")
    one = found[orders]["statements"][0]
    check(one["calls"] == 30, "calls since then are those that were made", one)
    check(one["blocks_after"] < one["blocks_before"] / 5, "it reads a fraction of the blocks", one)
    same(found[events]["verdict"], "unused", "the second is unused")
    ended = stage.run("index", "prove")
    check("unused" in ended.out and "--auto-undo" in ended.out, "people are told what to do", ended)


def test_undo(stage, orders, events):
    found = stage.prove("--min-calls", "20", "--auto-undo")
    same(found[events]["undone"], True, "--auto-undo undoes it")
    same(stage.base.value(f"SELECT to_regclass('{events}') IS NULL"), "t", "the index is gone")
    same(stage.base.value(f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{orders}'::regclass"), "t",
         "the one that pays stays")
    same(stage.base.value("SELECT string_agg(state, ',' ORDER BY object) FROM pgmend.journal"
                          " WHERE kind = 'create index'"), "undone,done", "the journal says so")
    same(sorted(stage.prove()), [orders], "its promise is forgotten")


def test_gone(stage, orders):
    """Somebody drops it by hand: told, and no error."""
    stage.base.sql(f"DROP INDEX {orders}")
    same(stage.prove()[orders]["verdict"], "gone", "an index that somebody dropped is gone")


def main():
    stage = Stage()
    test_before(stage)
    orders, events = test_apply(stage)
    test_early(stage, (orders, events))
    test_verdicts(stage, orders, events)
    test_undo(stage, orders, events)
    test_gone(stage, orders)
    done()


main()
