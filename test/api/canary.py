"""Flags in running processes of replyx-api: who gets what, how fast, roll-outs that go on and back, shadows.

Usage: canary.py      prints TAP
"""
import atexit
import hashlib
import http.server
import json
import math
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import apitest
from apitest import check, same, wait_until

STATE = tempfile.mkdtemp(prefix="pgmend-canary-")
atexit.register(shutil.rmtree, STATE, ignore_errors=True)


def pgmend(base, *words, expected=0):
    """What a command prints; its status has to be the expected one."""
    result = subprocess.run([apitest.program("PGMEND"), "--db-url", base.url(os.environ["PGUSER"]), "--state-dir", STATE,
                             "--no-input", *words], capture_output=True, text=True, check=False)
    if result.returncode != expected:
        check(False, f"pgmend {' '.join(words)} ends with {expected}", f"{result.returncode}: {result.stdout}{result.stderr}")
    return result.stdout


def bucket(salt, user):
    return int.from_bytes(hashlib.sha256(f"{salt}:{user}".encode()).digest()[:8], "big") % 10000


class Stage:
    def __init__(self):
        self.base = apitest.database("canary")
        pgmend(self.base, "flags", "set", "--grant", apitest.ROLE)
        options = ["--hidden-variants"]
        self.servers = [apitest.Server(self.base, options=[*options, "--workers", "2"], is_trusting=True),
                        apitest.Server(self.base, options=options, is_trusting=True)]
        self.users = [row["id"] for row in self.base.rows(
            "SELECT u.id FROM public.users u WHERE EXISTS (SELECT FROM public.assistants a WHERE a.user_id = u.id) ORDER BY 1")]

    def variants(self, path, users=None):
        """Of each server and user; on connections of their own, so that all workers are asked."""
        found = set()
        for server in self.servers:
            for user in users or self.users[:1]:
                found.add(server.get(path, bearer=str(user)).header("x-variant"))
                server.close()
        return found

    def wait_all(self, path, variant, users=None):
        """Until every process gives this one, several times in a row."""
        wait_until(f"{path} is {variant} everywhere",
                   lambda: all(self.variants(path, users) == {variant} for _ in range(4)))

    def flag(self, name):
        return self.base.rows(f"SELECT * FROM pgmend.flag WHERE name = '{name}'")[0]


def test_split(stage):
    """The same users in every process, as the hash says."""
    pgmend(stage.base, "flags", "set", "replyx.stats", "--percent", "50", "--salt", "s1")
    users = stage.users[:40]
    inside = [user for user in users if bucket("s1", user) < 5000]
    outside = [user for user in users if bucket("s1", user) >= 5000]
    check(inside and outside, "there are users inside and outside of the half")
    stage.wait_all("/assistants/stats", "optimised", inside)
    same(stage.variants("/assistants/stats", outside), {"naive"}, "who is outside of the percent gets the original")
    answers = {server.get("/assistants/stats", bearer=str(inside[0])).body for server in stage.servers}
    same(len(answers), 1, "processes answer alike")


def test_speed(stage):
    """On and off again, by "rollback --level code"."""
    taken = []
    for _ in range(4):
        pgmend(stage.base, "flags", "set", "replyx.stats", "--percent", "100")
        stage.wait_all("/assistants/stats", "optimised", stage.users[:2])
        began = time.monotonic()
        done = json.loads(pgmend(stage.base, "--json", "rollback", "--level", "code"))
        stage.wait_all("/assistants/stats", "naive", stage.users[:2])
        taken.append(time.monotonic() - began)
        same([(flag["name"], flag["percent_before"]) for flag in done["flags"]], [("replyx.stats", 100)],
             "rollback --level code says what it set back")
    print(f"# rollback --level code, until three processes follow: {', '.join(f'{s * 1000:.0f} ms' for s in taken)}")
    check(min(taken) < 1, "rollback --level code holds in all processes within a second", taken)
    detail = stage.base.rows("SELECT detail FROM pgmend.journal WHERE kind = 'flag off' ORDER BY id DESC LIMIT 1")[0]["detail"]
    same(detail["before"]["percent"], 100, "the journal has the percent before")
    pgmend(stage.base, "rollback")
    same(stage.flag("replyx.stats")["percent"], 0, "a rollback does not turn on again what was turned off")


def test_damage(stage):
    """The last good values hold."""
    base = stage.base
    pgmend(base, "flags", "set", "replyx.stats", "--percent", "100")
    stage.wait_all("/assistants/stats", "optimised")
    pgmend(base, "flags", "set", "replyx.balance", "--percent", "0")
    checks = base.sql("SELECT string_agg(format('ALTER TABLE pgmend.flag DROP CONSTRAINT %I;', conname), ' ')"
                      " FROM pg_constraint WHERE conrelid = 'pgmend.flag'::regclass AND contype = 'c'")
    base.sql(f"{checks} BEGIN; UPDATE pgmend.flag SET percent = -700 WHERE name = 'replyx.stats';"
             " UPDATE pgmend.flag SET percent = 100 WHERE name = 'replyx.balance'; NOTIFY pgmend_flag; COMMIT;")
    stage.wait_all("/balance", "optimised")
    same(stage.variants("/assistants/stats", stage.users[:10]), {"optimised"},
         "a row that is out of range leaves its flag, and only that, as it was")

    sessions = ("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'replyx-api/flags'")
    before = int(base.value(sessions))
    base.sql("ALTER TABLE pgmend.flag RENAME TO flag_gone")
    base.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
             " AND application_name = 'replyx-api/flags'")
    wait_until("the processes follow again", lambda: int(base.value(sessions)) == before)
    same(stage.variants("/assistants/stats", stage.users[:10]), {"optimised"}, "a table that is missing changes nothing")
    same(before, 3, "each process has one session for the flags")
    base.sql("ALTER TABLE pgmend.flag_gone RENAME TO flag")
    pgmend(base, "flags", "set", "replyx.stats", "--percent", "0")
    stage.wait_all("/assistants/stats", "naive")
    check(True, "after damage and lost sessions the flags are followed again")
    base.sql("ALTER TABLE pgmend.flag ALTER percent DROP NOT NULL; UPDATE pgmend.flag SET percent = NULL")
    pgmend(base, "rollback", "--level", "code")
    same(base.sql("SELECT DISTINCT percent FROM pgmend.flag"), "0", "rollback --level code mends damaged rows, too")
    pgmend(base, "rollback", "--level", "code")


class Load:
    """Requests of many users, on all servers, until it ends."""

    def __init__(self, stage, path):
        self.stage, self.path, self.is_over, self.bad = stage, path, False, []
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(4)]

    def run(self, number):
        turn = number
        while not self.is_over:
            turn += len(self.threads)
            server = self.stage.servers[turn // 4 % len(self.stage.servers)]
            answer = server.get(self.path, bearer=str(self.stage.users[turn % len(self.stage.users)]))
            if answer.status != 200:
                self.bad.append(answer)
        for server in self.stage.servers:
            server.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()


def rollout_words(stage, flag, *more):
    urls = [word for server in stage.servers for word in ("--metrics", f"http://127.0.0.1:{server.port}/metrics")]
    return ["--json", "flags", "rollout", flag, *urls, "--hold", "1s", "--warm-up", "500ms", "--every", "250ms", "--least", "300",
            "--limit", "50s", *more]


def test_good(stage):
    with Load(stage, "/assistants/stats") as load:
        done = json.loads(pgmend(stage.base, *rollout_words(stage, "replyx.stats", "--steps", "40,100")))
    same(load.bad, [], "no request fails while a variant is rolled out")
    same((done["is_promoted"], stage.flag("replyx.stats")["percent"], stage.flag("replyx.stats")["until"]), (True, 100, None),
         "a good variant is rolled out to everybody, for ever")
    check(all(step["ratio_high"] < 1.05 and step["treatment_count"] >= 300 for step in done["steps"]) and len(done["steps"]) == 2,
          "each step had its numbers", done)
    stage.wait_all("/assistants/stats", "optimised", stage.users[:5])
    entry = stage.base.rows("SELECT detail FROM pgmend.journal WHERE object = 'replyx.stats' ORDER BY id DESC LIMIT 1")[0]
    check(entry["detail"]["numbers"]["decision"] == "go on" and entry["detail"]["numbers"]["ratio"] < 1,
          "the decision and its numbers stand in the journal", entry)
    pgmend(stage.base, "rollback", "--level", "code", "--flag", "replyx.stats")


def test_slow(stage):
    with Load(stage, "/assistants"):
        done = json.loads(pgmend(stage.base, *rollout_words(stage, "replyx.assistants", "--variant", "slow", "--steps", "50,100"),
                                 expected=5))
    step = done["steps"][-1]
    check(not done["is_promoted"] and step["decision"] == "go back" and step["rule"] in ("latency", "p95"),
          "a slow variant goes back by itself", done)
    check(step["ratio"] > 1.2 and step["treatment_count"] < 2000, "and it does not take many requests to see it", step)
    flag = stage.flag("replyx.assistants")
    same((flag["percent"], flag["fallback"], flag["until"]), (0, 0, None), "its flag is at 0")
    stage.wait_all("/assistants", "naive", stage.users[:10])
    numbers = stage.base.rows("SELECT detail->'numbers' AS n FROM pgmend.journal WHERE object = 'replyx.assistants'"
                              " AND kind = 'flag off' ORDER BY id DESC LIMIT 1")[0]["n"]
    same((numbers["rule"], numbers["why"], numbers["looks"]), (step["rule"], step["why"], step["looks"]),
         "the journal tells why it went back")


def test_dead_guard(stage):
    """Nobody guards any more: the processes fall back by themselves."""
    pgmend(stage.base, "flags", "set", "replyx.stats", "--percent", "0", "--variant", "optimised")
    words = rollout_words(stage, "replyx.stats", "--steps", "100", "--hold", "1h", "--limit", "2h")
    guard = subprocess.Popen([apitest.program("PGMEND"), "--db-url", stage.base.url(os.environ["PGUSER"]), "--state-dir", STATE,
                              *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stage.wait_all("/assistants/stats", "optimised", stage.users[:3])
    first = stage.flag("replyx.stats")["until"]
    wait_until("the guard renews what it has set", lambda: stage.flag("replyx.stats")["until"] > first)
    check("another roll-out" in pgmend(stage.base, *words, expected=1), "one roll-out of a flag at a time")
    guard.kill()
    guard.wait()
    stage.wait_all("/assistants/stats", "naive", stage.users[:3])
    same(stage.flag("replyx.stats")["percent"], 100, "a guard that was killed leaves the row as it was, and its time runs out")
    # One that is asked to end takes its step back itself.
    pgmend(stage.base, "flags", "set", "replyx.stats", "--percent", "0")
    guard = subprocess.Popen([apitest.program("PGMEND"), "--db-url", stage.base.url(os.environ["PGUSER"]), "--state-dir", STATE,
                              *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    stage.wait_all("/assistants/stats", "optimised", stage.users[:3])
    guard.send_signal(signal.SIGINT)
    said = guard.communicate()[0]
    same((guard.returncode, stage.flag("replyx.stats")["percent"]), (130, 0), "an interrupted roll-out takes its step back")
    check("back at 0 %" in said, "and says so", said)


def test_overruled(stage):
    """Somebody turns the flag off meanwhile: the roll-out does not turn it on again."""
    with Load(stage, "/balance"):
        words = rollout_words(stage, "replyx.balance", "--steps", "50,100", "--hold", "1h", "--limit", "2h")
        guard = subprocess.Popen([apitest.program("PGMEND"), "--db-url", stage.base.url(os.environ["PGUSER"]), "--state-dir",
                                  STATE, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        wait_until("the first step is set", lambda: stage.flag("replyx.balance")["percent"] == 50)
        pgmend(stage.base, "rollback", "--level", "code", "--reason", "ticket 112")
        said = guard.communicate(timeout=apitest.DEADLINE_S)[0]
    same((guard.returncode, stage.flag("replyx.balance")["percent"]), (1, 0), "a roll-out that was overruled ends")
    check("somebody else" in said, "and says that somebody else has set the flag", said)


class Counters:
    """An application that is made up: /metrics of two arms, 500 requests an arm and look."""

    def __init__(self, errors=0.0, resets_at=0, ends_at=0):
        self.looks, self.errors, self.resets_at, self.ends_at = 0, errors, resets_at, ends_at
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # the name is http.server's
                body = outer.text().encode()
                self.send_response(500 if 0 < outer.ends_at < outer.looks else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/metrics"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def text(self):
        self.looks += 1
        turns = self.looks - self.resets_at if 0 < self.resets_at <= self.looks else self.looks
        lines = []
        for variant, seconds, errors in (("naive", 0.02, 0.0), ("optimised", 0.01, self.errors)):
            labels = f'route="made_up",variant="{variant}"'
            good = 500 * turns * (1 - errors)
            mean = math.log(seconds)
            lines += [f'replyx_requests_total{{{labels},status="2xx"}} {good}',
                      f'replyx_requests_total{{{labels},status="5xx"}} {500 * turns * errors}',
                      f"replyx_request_log_seconds_count{{{labels}}} {good}",
                      f"replyx_request_log_seconds_sum{{{labels}}} {good * mean}",
                      f"replyx_request_log_seconds_squares{{{labels}}} {good * (mean * mean + 0.64)}"]
            lines += [f'replyx_request_duration_seconds_bucket{{{labels},le="{edge}"}} {good * share}'
                      for edge, share in (("0.005", 0.1), ("0.05", 0.97), ("+Inf", 1))]
        return "\n".join(lines) + "\n"


def test_made_up(stage):
    """What does not happen by itself: a process is started anew, requests fail, nothing answers."""
    words = ["--json", "flags", "rollout", "app.made_up", "--steps", "100", "--hold", "1s", "--warm-up", "0", "--every", "100ms",
             "--least", "4000"]
    done = json.loads(pgmend(stage.base, *words, "--metrics", Counters(resets_at=5).url))
    step = done["steps"][0]
    same((done["is_promoted"], step["gaps"], step["treatment_count"] % 500), (True, 1, 0),
         "counters that begin anew are a gap, not a number")
    check(abs(step["ratio"] - 0.5) < 0.001, "and what is counted stays right", step)
    pgmend(stage.base, "rollback", "--level", "code")
    done = json.loads(pgmend(stage.base, *words, "--metrics", Counters(errors=0.1).url, expected=5))
    same((done["steps"][-1]["rule"], stage.flag("app.made_up")["percent"]), ("many errors", 0), "many errors go back at once")
    done = json.loads(pgmend(stage.base, *words, "--blind", "1s", "--metrics", Counters(ends_at=3).url, expected=5))
    same((done["steps"][-1]["rule"], stage.flag("app.made_up")["percent"]), ("blind", 0), "without any metrics it goes back")
    done = json.loads(pgmend(stage.base, *words, "--blind", "2s", "--metrics", Counters().url, "--metrics",
                             Counters(ends_at=3).url, expected=5))
    same(done["steps"][-1]["rule"], "blind", "one source of two that is silent is enough to go back")
    with_none = json.loads(pgmend(stage.base, *words, "--limit", "1s", "--route", "other", "--metrics", Counters().url, expected=5))
    same(with_none["steps"][-1]["rule"], "limit", "metrics of another route decide nothing")


def test_one_run(stage):
    """All steps are one run of the journal, with their numbers, and one rollback goes back to before."""
    base, counters = stage.base, Counters()
    pgmend(base, "flags", "set", "app.one_run", "--percent", "5")
    pgmend(base, "flags", "rollout", "app.one_run", "--route", "made_up", "--steps", "5,25,100", "--hold", "500ms",
           "--warm-up", "0", "--every", "100ms", "--least", "1000", "--metrics", counters.url)
    rows = base.rows("SELECT j.run, r.command, detail->'after'->>'percent' AS percent, detail->'numbers'->>'decision' AS decision"
                     " FROM pgmend.journal j JOIN pgmend.run r ON r.id = j.run WHERE object = 'app.one_run'"
                     " AND r.command = 'flags rollout' ORDER BY j.id")
    same(len({row["run"] for row in rows}), 1, "a roll-out is one run of the journal")
    same([(row["percent"], row["decision"]) for row in rows], [("25", None), ("100", "go on"), ("100", "go on")],
         "each decision stands in the journal")
    check("25 -> 100" in pgmend(base, "history"), "history shows the percents")
    said = pgmend(base, "rollback")
    same(stage.flag("app.one_run")["percent"], 5, "one rollback goes back to before the roll-out")
    check("\n1 undone" in said, "and counts what it undid", said)


def test_partial_change(stage):
    """Another shadow or reason neither ends a guard's life nor raises what has fallen back."""
    base = stage.base
    pgmend(base, "flags", "set", "app.part", "--percent", "30")
    base.sql("UPDATE pgmend.flag SET until = now() + interval '1 hour', fallback = 5 WHERE name = 'app.part'")
    pgmend(base, "flags", "set", "app.part", "--shadow", "0.5")
    flag = stage.flag("app.part")
    same((flag["percent"], flag["fallback"], flag["until"] is not None, flag["shadow_ratio"]), (30, 5, True, 0.5),
         "another shadow leaves the roll-out its guard")
    pgmend(base, "flags", "set", "app.part", "--variant", "other", expected=1)
    base.sql("UPDATE pgmend.flag SET until = now() - interval '1 hour' WHERE name = 'app.part'")
    done = json.loads(pgmend(base, "--json", "flags", "set", "app.part", "--shadow", "0.1"))
    same((done["before"]["percent"], stage.flag("app.part")["percent"], stage.flag("app.part")["until"]), (5, 5, None),
         "a step whose guard died counts as what it fell back to")
    pgmend(base, "flags", "set", "app.part", "--remove", expected=1)
    pgmend(base, "rollback", "--level", "code", "--flag", "app.part")
    pgmend(base, "flags", "set", "app.part", "--remove")
    same(base.rows("SELECT * FROM pgmend.flag WHERE name = 'app.part'"), [], "a flag that is off can be taken away")


def test_wrong_options(stage):
    url = Counters().url
    before = stage.base.value("SELECT count(*) FROM pgmend.journal")
    for words in (["set", "--grant", apitest.ROLE, "--percent", "5"], ["set", "app.x", "--percent", "101"], ["set", ""],
                  ["rollout", "app.x", "--metrics", url, "--metrics", url], ["rollout", "app.x", "--metrics", "ftp://a/b"],
                  ["rollout", "app.x", "--metrics", url, "--control", "optimised"],
                  ["rollout", "app.x", "--metrics", url, "--hold", "2h", "--limit", "1h"]):
        pgmend(stage.base, "flags", *words, expected=2)
    pgmend(stage.base, "flags", "rollout", "app.x", "--metrics", f"http://127.0.0.1:{apitest.free_port()}/metrics", expected=1)
    same(stage.base.value("SELECT count(*) FROM pgmend.journal"), before, "wrong options change nothing")


def test_lost_table(stage):
    """Without its table nothing can be turned off: that is said, and the new one is for whom the old one was."""
    base = stage.base
    pgmend(base, "flags", "set", "replyx.stats", "--percent", "100", "--variant", "optimised", "--shadow", "0")
    stage.wait_all("/assistants/stats", "optimised")
    base.sql("DROP TABLE pgmend.flag")
    pgmend(base, "rollback", "--level", "code", expected=6)
    same(stage.variants("/assistants/stats"), {"optimised"}, "the processes keep what they last saw")
    done = json.loads(pgmend(base, "--json", "flags", "set", "replyx.balance", "--percent", "0"))
    same((done["table_was_lost"], done["followers"]), (True, [apitest.ROLE]), "the new table has the rights of the old one")
    stage.wait_all("/assistants/stats", "naive")


def shadows(stage, route):
    found = {}
    for server in stage.servers:
        for name, value in server.metrics().items():
            if name.startswith(f'replyx_shadows_total{{route="{route}"'):
                result = name.split('result="')[1].split('"')[0]
                found[result] = found.get(result, 0) + value
    return found


def test_shadow_good(stage):
    pgmend(stage.base, "flags", "set", "replyx.stats", "--percent", "0", "--variant", "optimised", "--shadow", "1")
    server = stage.servers[0]
    wait_until("shadows are run", lambda: server.get("/assistants/stats", bearer=str(stage.users[0])).status == 200
               and shadows(stage, "stats").get("equal"))
    for user in stage.users:
        server.get("/assistants/stats", bearer=str(user))
    wait_until("most of them are equal", lambda: shadows(stage, "stats").get("equal", 0) > len(stage.users) // 2)
    same(shadows(stage, "stats").get("different"), None, "a right variant has no differences")
    same((stage.flag("replyx.stats")["shadow_ratio"], stage.base.value("SELECT count(*) FROM replyx_api.shadow_difference")),
         (1, "0"), "its flag stays, nothing is kept")


def test_shadow_wrong(stage):
    """The team's own rewrite, which was wrong."""
    base = stage.base
    pgmend(base, "flags", "set", "replyx.stats", "--percent", "0", "--variant", "team", "--shadow", "1")
    server = stage.servers[1]

    def ask_until_off():
        for user in stage.users[:30]:
            server.get("/assistants/stats", bearer=str(user))
        return stage.flag("replyx.stats")["shadow_ratio"] == 0

    wait_until("the planted wrong rewrite is caught", ask_until_off)
    flag = stage.flag("replyx.stats")
    same((flag["percent"], flag["shadow_ratio"]), (0, 0), "a wrong variant turns its flag off")
    check("team" in flag["reason"] and flag["changed_by"] == apitest.ROLE, "with the reason, by the role of the API", flag)
    wait_until("the difference is kept", lambda: base.value("SELECT count(*) > 0 FROM replyx_api.shadow_difference") == "t")
    kept = base.rows("SELECT * FROM replyx_api.shadow_difference ORDER BY id LIMIT 1")[0]
    check(kept["original_answer"] == server.get("/assistants/stats", bearer=str(kept["user_id"])).body.decode(),
          "the original answer is what the user got", kept)
    check(json.loads(kept["flagged_answer"]) != json.loads(kept["original_answer"])
          and (kept["endpoint"], kept["original"], kept["flagged"]) == ("stats", "naive", "team")
          and kept["args"]["user_id"] == str(kept["user_id"]), "both answers, endpoint and arguments are kept", kept)
    check(shadows(stage, "stats").get("different", 0) >= 1, "it is counted", shadows(stage, "stats"))
    run = base.rows("SELECT r.actor, j.kind FROM pgmend.journal j JOIN pgmend.run r ON r.id = j.run ORDER BY j.id DESC LIMIT 1")[0]
    same((run["actor"], run["kind"]), (apitest.ROLE, "flag off"), "the journal has it")
    refused = subprocess.run(["psql", "-Xq", base.url(), "-c", "SELECT * FROM replyx_api.shadow_difference"],
                             capture_output=True, text=True, check=False)
    check("permission denied" in refused.stderr, "the role of the API cannot read what was kept", refused)
    refused = subprocess.run(["psql", "-Xq", base.url(), "-c", "UPDATE pgmend.flag SET percent = 100"],
                             capture_output=True, text=True, check=False)
    check("permission denied" in refused.stderr, "nor set a flag", refused)


def test_hidden(stage):
    """What is wrong on purpose is given to nobody without the setting of tests."""
    pgmend(stage.base, "flags", "set", "replyx.stats", "--percent", "100", "--variant", "team")
    stage.wait_all("/assistants/stats", "team")
    server = apitest.Server(stage.base, is_trusting=True)
    pgmend(stage.base, "flags", "set", "replyx.balance", "--percent", "100")
    wait_until("the process follows", lambda: server.get("/balance", bearer=str(stage.users[0])).header("x-variant") == "optimised")
    same(server.get("/assistants/stats", bearer=str(stage.users[0])).header("x-variant"), "naive",
         "a hidden variant cannot be chosen by a flag")
    server.stop()


def main():
    stage = Stage()
    for test in (test_split, test_speed, test_damage, test_good, test_slow, test_dead_guard, test_overruled, test_made_up,
                 test_one_run, test_partial_change, test_wrong_options, test_lost_table, test_shadow_good,
                 test_shadow_wrong, test_hidden):
        test(stage)
    # With shadows under way.
    pgmend(stage.base, "flags", "set", "replyx.stats", "--percent", "0", "--variant", "optimised", "--shadow", "1")
    stage.wait_all("/assistants/stats", "naive")
    for server in stage.servers:
        for user in stage.users[:20]:
            server.get("/assistants/stats", bearer=str(user))
        same(server.stop(), 0, "replyx-api ends well")
    apitest.done()


if __name__ == "__main__":
    main()
