"""pgmend queries top: what pg_stat_statements counted, and what a log holds, ranked as the server and Python rank it.

Usage: top.py      prints TAP
"""
import json
import math
import os
import re
import subprocess
import sys

import nplus1test
from nplus1test import apitest
from apitest import check, same

CALLS = {"SELECT count(*) FROM numbers WHERE n < 5": 40, "SELECT max(n) FROM numbers": 30, "SELECT n FROM numbers ORDER BY n LIMIT 7": 25}

# A log of text: the session asks once, then again for each of three rows, in 1, 2, … ms; another database asks too.
PREFIX = "2026-11-22 10:00:00.{ms:03d} UTC [77] app@{database} "


def url(base):
    return base.url(os.environ.get("PGUSER", "postgres"))


def top(*arguments, **more):
    said = nplus1test.pgmend("queries", "top", *arguments, **more)
    return json.loads(said[0]) if "--json" in arguments else said


def check_counters(base):
    """Against a query of the view that this test makes itself."""
    found = top("--db-url", url(base), "--by", "calls", "--limit", "3", "--json")
    same([(one["query"], one["calls"]) for one in found["queries"]],
         [(re.sub(r"\b[57]\b", "$1", query), calls) for query, calls in CALLS.items()], "most calls first")
    for one in found["queries"]:
        text = one["query"].replace("'", "''")
        rows, hit, total, mean, deviation, most = base.sql(
            "SELECT rows, shared_blks_hit, total_exec_time, mean_exec_time, stddev_exec_time, max_exec_time FROM pg_stat_statements"
            f" WHERE query = '{text}' AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())").split("|")
        spread = math.log1p((float(deviation) / float(mean)) ** 2)
        p95 = min(math.exp(math.log(float(mean)) - spread / 2 + 1.6448536269514722 * math.sqrt(spread)), float(most))
        close = all(math.isclose(found_here, expected, rel_tol=1e-6) for found_here, expected in (
            (one["total_ms"], float(total)), (one["mean_ms"], float(mean)), (one["p95_ms_estimated"], p95)))
        check(close and one["rows"] == int(rows) and one["blocks_hit"] == int(hit), f"the view's own numbers: {one['query'][:30]}",
              f"{one} {rows} {hit} {total} {mean} {p95}")
    same([one["calls"] for one in top("--db-url", url(base), "--by", "rows", "--limit", "2", "--json")["queries"]], [1, 25],
         "most rows first: 500 of CREATE TABLE AS, 25 times 7")
    text = top("--db-url", url(base))[0]
    check("p95 est." in text and "Counted by pg_stat_statements" in text, "the table says that p95 is an estimate", text)


def check_span(base):
    """Only what happens while it looks: the test asks in the same time, in a session that waits for it to begin."""
    process = subprocess.Popen([apitest.program("PGMEND"), "--no-input", "queries", "top", "--db-url", url(base), "--for", "8s",
                                "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    apitest.wait_until("it has read the counters once", lambda: process.poll() is not None or base.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgmend/queries top' AND state = 'idle'"
        f" AND datname = '{base.name}' AND query ~ 'set_config|search_path'") != "0")
    base.sql("SELECT count(n) FROM numbers;\n" * 9)
    found = json.loads(process.communicate(timeout=apitest.DEADLINE_S)[0])
    calls = {one["query"]: one["calls"] for one in found["queries"]}
    same(calls.get("SELECT count(n) FROM numbers"), 9, "--for counts what happens from then on")
    same([query for query in CALLS if re.sub(r"\b[57]\b", "$1", query) in calls], [], "and nothing from before")


def log_lines():
    ms = 0
    for sql, duration, database in (
            ("SELECT id FROM parents WHERE owner = 7", 1, "mine"), *((f"SELECT x FROM children WHERE parent = {key}", key, "mine")
                                                                      for key in range(10, 110)),
            ("SELECT secret FROM other", 5, "theirs")):
        ms += 1
        yield PREFIX.format(ms=ms, database=database) + f"LOG:  duration: {duration}.000 ms  statement: {sql}"


def check_log(base, folder):
    path = f"{folder}/postgresql.log"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(log_lines()) + "\n")
    found = top(path, "--database", "mine", "--log-prefix", "%m [%p] %q%u@%d ", "--json")
    child = found["queries"][0]
    check(child["calls"] == 100 and child["total_ms"] == sum(range(10, 110)) and abs(child["p95_ms"] - 104) <= 104 * 0.03,
          "times out of a log: the 95th of 10, 11, … 109 ms, within 3 %", child)
    check("×100" in (child["n_plus_one"] or ""), "the loop is marked", child)
    check(not any("secret" in one["query"] for one in found["queries"]), "lines of other databases are left out", found)
    said = nplus1test.pgmend("queries", "top", path, "--by", "buffers", may_fail=True)
    check(said[2] == 2 and "buffers" in said[1], "a log has no buffers to rank by", said)
    said = nplus1test.pgmend("queries", "top", path, "--for", "1s", may_fail=True)
    check(said[2] == 2, "--for and files do not go together", said)
    said = nplus1test.pgmend("queries", "top", f"{folder}/is-not-there", may_fail=True)
    check(said[2] == 1 and "is-not-there" in said[1], "a file that is not there is named", said)


def check_live(base):
    """The counters of a while in which somebody asks in a loop, told as suspicion with parent and repeats."""
    base.sql("CREATE TABLE parents AS SELECT generate_series(1, 10) AS id; CREATE TABLE notes AS SELECT g % 10 + 1 AS parent_id FROM generate_series(1, 100) AS g")
    turn = "SELECT id FROM parents;\n" + "".join(f"SELECT count(*) FROM notes WHERE parent_id = {one};\n" for one in range(1, 11))
    argv = [apitest.program("PGMEND"), "--no-input", "queries", "nplusone", "--db-url", url(base), "--for", "4s", "--json"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None:
            base.sql(turn * 5)
        found = json.loads(run.stdout.read())["findings"]
    texts = [(one["parent"]["text"], [child["text"] for child in one["children"]]) for one in found]
    same(texts, [("SELECT id FROM parents", ["SELECT count(*) FROM notes WHERE parent_id = $1"])], "--for sees the loop of that while, and its parent")


def check_uncounted(base, name):
    base.sql(f"ALTER DATABASE {name} SET pg_stat_statements.track = 'none'")
    base.sql("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)")
    out = top("--db-url", url(base))[0]
    check("pg_stat_statements.track is none" in out, "that nothing is counted is told with the setting's name", out)


def main():
    import tempfile
    name = f"pgmend_test_nplus1_top_{os.getpid()}"
    base = apitest.Database(name)
    apitest.psql(f"CREATE DATABASE {name}")
    try:
        base.sql("CREATE EXTENSION pg_stat_statements; CREATE TABLE numbers AS SELECT generate_series(1, 500) AS n;")
        for query, calls in CALLS.items():
            base.sql(f"{query};\n" * calls)
        check_counters(base)
        check_span(base)
        with tempfile.TemporaryDirectory(prefix="pgmend-top-") as folder:
            check_log(base, folder)
        check_live(base)
        check_uncounted(base, name)
    finally:
        base.drop()
    apitest.done()


if __name__ == "__main__":
    sys.exit(main())
