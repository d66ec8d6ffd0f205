"""The plan's scenario, a hundredth of it, against replyx-api: nothing fails, nothing is lost, and the numbers agree.

Usage: replyx.py      prints TAP
"""
import json
import os

from loadtest import FOLDER, apitest, check, done, pgmend, same

# Everything counts: so what the run counted can be held to what is in the database.
TIMES = {"ramp_up": "0s", "warm_up": "0s", "duration": "4s"}
# More often than in the plan, so that in a few seconds everything occurs.
PACE = {"users": 9000, "newcomers": 1000, "think": "1s", "updates": "2000/s"}
WORK = [word for name, value in {**TIMES, **PACE}.items() for word in ("-D", f"{name}={value}")]
HOOK_SECRET = "a secret of the webhooks, which is long enough"


class Stage:
    def __init__(self):
        self.base = apitest.database("load_plan")
        self.hook = FOLDER / "hook_secret"
        self.hook.write_text(HOOK_SECRET)
        self.hook.chmod(0o600)

    def hooks(self):
        return int(self.base.value("SELECT count(*) FROM replyx_api.telegram_update"))

    def run(self, variant):
        """A run against a fresh API: (how it ended, its result, webhooks that the API answered well)."""
        server = apitest.Server(self.base, variant, ["--webhook-secret-file", str(self.hook)])
        output = FOLDER / f"{variant}.json"
        ended = pgmend("--db-url", self.base.url(os.environ["PGUSER"]), "load", "run",
                       apitest.ROOT / "replyx/load/plan.ini", "--target",
                       f"127.0.0.1:{server.port}", "--scale", "0.01", "-D", f"jwt_secret={server.folder / 'secret'}",
                       "-D", f"webhook_secret={self.hook}", *WORK, "--output", output)
        answered = sum(value for name, value in server.metrics().items()
                       if name.startswith("replyx_requests_total{") and "webhook" in name and 'status="2xx"' in name)
        server.stop()
        if not output.exists():
            check(False, f"{variant}: the run writes a result", ended)
            done()
        return ended, json.loads(output.read_text(encoding="utf-8")), int(answered)


def total(result, names):
    return sum(one["calls"] for one in result["scripts"] if one["name"] in names)


def test_plan(stage):
    """The fast form."""
    before = stage.hooks()
    ended, result, answered = stage.run("optimised")
    written = stage.hooks() - before
    check(ended.status in (0, 10), "the plan's scenario runs", ended)
    same({name: count for name, count in result["outcomes"].items() if count and name != "good"}, {}, "nothing fails")
    same([one["name"] for one in result["scripts"] if not one["calls"]], [], "each of the scenario's requests occurs")
    hooks = [one["name"] for one in result["scripts"] if "hook" in one["name"]]
    check(total(result, hooks) > 0 and written == answered, "each webhook is written exactly once",
          f"{written} rows, {answered} good answers of the API")
    check(total(result, hooks) <= answered <= total(result, hooks) + result["unanswered"],
          "and the run counted those", f"{total(result, hooks)} counted, {answered} answered, {result['unanswered']} left")
    same(result["is_complete"], True, "it is complete")
    check(109 <= result["clients"] <= 112, "of a hundredth of 10,000 users and 1,000 bots", result["clients"])
    check(result["most_open"] >= result["clients"], "all connections are held", result["most_open"])
    return result


def test_statements(result):
    """What X-Query-Count said, against what docs/api.md promises of the optimised form."""
    counts = {one["name"]: one["statements_per_call"] for one in result["scripts"] if one["calls"]}
    stats = [count for name, count in counts.items() if "stats" in name]
    check(stats and all(count == 2 for count in stats), "stats take two statements each, as curl shows", counts)
    facts = {one["name"]: one["value"] for one in result["facts"]}
    check(0 < facts.get("cache_hit", 0) <= 1, "PostgreSQL's cache hits are known", facts)
    check(facts.get("api_cpu_us", 0) > 0 and facts.get("pg_cpu_us", 0) > 0, "and CPU of the API and of PostgreSQL", facts)


def test_compare(stage):
    """Naive before, optimised after: stats must be told as better. The same load twice as not distinguishable."""
    ended, naive, _ = stage.run("naive")
    check(ended.status in (0, 1, 10), "the naive form can be loaded as well", ended)
    statements = {one["name"]: one["statements_per_call"] or 0 for one in naive["scripts"] if one["calls"]}
    check(any("stats" in name and count > 4 for name, count in statements.items()), "its stats take many statements",
          statements)
    result = pgmend("--json", "load", "compare", FOLDER / "naive.json", FOLDER / "optimised.json")
    check(result.status == 0 and "stats" in result.out, "load compare has the two beside each other", result)


def main():
    stage = Stage()
    result = test_plan(stage)
    test_statements(result)
    test_compare(stage)
    done()


main()
