"""The application's own N+1, seen from the database's side: replyx-api's naive variant and a FastAPI + SQLAlchemy twin
answer their endpoints through "pgmend queries trace"; every loop that the plan names is found with its parent, and
rewritten: proven, and at least three times as fast in the same run.

Usage: replyx.py      prints TAP
"""
import json
import os
import re
import sys

import nplus1test
from nplus1test import apitest
from apitest import check, same
from oracle import World

ROWS = 30  # at least, that each list of the busy user has
TIMES = 3

# A user who has much of everything; the rest of the rows is the generator's.
BUSY = """
CREATE TEMPORARY TABLE busy AS SELECT {user} AS id;
INSERT INTO assistants (user_id, name, system_prompt, created_at)
  SELECT id, 'Assistant ' || n, '', timestamp '2026-10-01' + n * interval '1 hour' FROM busy, generate_series(1, {rows}) AS n;
INSERT INTO bot_instances (user_id, assistant_id, platform, is_active, created_at)
  SELECT user_id, id, 'telegram', true, created_at + interval '1 day' FROM assistants WHERE user_id = (SELECT id FROM busy);
INSERT INTO documents (user_id, filename, size, upload_date)
  SELECT id, 'document ' || n || '.pdf', n * 1000, timestamp '2026-10-05' + n * interval '1 minute'
    FROM busy, generate_series(1, {rows}) AS n;
INSERT INTO user_knowledge (user_id, assistant_id, doc_id, content, type)
  SELECT d.user_id, (SELECT min(id) FROM assistants WHERE user_id = d.user_id), d.id, 'what is known', 'summary'
    FROM documents AS d WHERE d.user_id = (SELECT id FROM busy) AND d.filename LIKE 'document %';
ANALYZE;
"""


class Loop:
    """What has to be found in an endpoint: the table of the parent, its column, and a text of each child."""

    def __init__(self, name, table, key, children):
        self.name, self.table, self.key, self.children = name, table, key, children

    def is_found_in(self, finding):
        parent = finding["parent"]
        if finding["kind"] != "n+1" or not parent or len(finding["children"]) != len(self.children):
            return False
        texts = [re.sub(r"\s+", " ", child["text"]) for child in finding["children"]]
        return bool(re.search(rf"\b(FROM|JOIN) (public\.)?{self.table}\b", parent["text"])
                    and re.fullmatch(self.key, parent["key_name"] or "")
                    and all(any(re.search(wanted, text) for text in texts) for wanted in self.children))


LOOPS = [
    Loop("stats", "assistants", r"id|assistants_id", [r"count\(.*dialog_messages", r"count\((\*|dialogs\.id)\).* FROM (public\.)?dialogs\b"]),
    Loop("assistant_dialogs", "dialogs", r"coalesce|dialogs_id", [r"count\(.*dialog_messages", r"max\(.*dialog_messages"]),
    Loop("documents", "user_knowledge", r"coalesce|user_knowledge_doc_id", [r"FROM (public\.)?documents\b"]),
    Loop("dialogs", "dialogs", r"id|dialogs_id", [r"dialog_messages.* LIMIT", r"email.* FROM (public\.)?users\b"]),
    Loop("bots", "bot_instances", r"assistant_id|bot_instances_assistant_id", [r"FROM (public\.)?assistants\b"]),
]
REWRITTEN = ("stats", "dialogs", "documents", "bots")


def busiest(world):
    return max((user for user in world.users if world.bots[user] and world.knowledge[user] and len(world.dialogs[user]) > 2 * ROWS),
               key=lambda user: len(world.assistants[user]))


def paths_of(world, user):
    """(path, what must be answered) of the endpoints that loop"""
    talking = max(world.assistants[user], key=lambda row: len(world.dialogs_of_assistant(user, row["id"])[0]))["id"]
    knowing = max(world.assistants[user], key=lambda row: world.documents_of(user, row["id"])[1])["id"]
    yield "/assistants/stats", world.stats_of(user)[0]
    yield f"/assistants/{talking}/dialogs", world.dialogs_of_assistant(user, talking)[0]
    yield f"/assistants/{knowing}/documents", world.documents_of(user, knowing)[0]
    yield "/dialogs?page=1&limit=20", world.dialogs_of(user, 1, 20)[0]
    yield "/dialogs?page=2&limit=20", world.dialogs_of(user, 2, 20)[0]
    yield "/bot-instances", world.bots_of(user)[0]


def plain(value):
    """Python writes all six digits behind a second, PostgreSQL only those that count."""
    return json.loads(re.sub(r"(T\d\d:\d\d:\d\d\.\d*?)0+\"", r'\1"', json.dumps(value)))


def through(port, role):
    """The proxy's address, as who connects to the database of the test."""
    return f"postgresql://{role}@127.0.0.1:{port}/"


def play(base, trace, world, user):
    """Both back ends answer everything a few times, and answer what is right."""
    proxied = apitest.Database(base.name)
    proxied.url = lambda role=None: through(trace.port, role or apitest.ROLE) + base.name
    api = apitest.Server(proxied, "naive")
    twin = nplus1test.Twin(proxied.url(os.environ.get("PGUSER", "postgres")), is_tagged=True)
    wrong = []
    for _ in range(TIMES):
        for path, expected in paths_of(world, user):
            for who, found in (("replyx-api", api.get(path, user).json()), ("twin", twin.get(path, user))):
                if plain(found) != plain(expected):
                    wrong.append((who, path, str(found)[:300], str(expected)[:300]))
    same(wrong, [], "both answer through the proxy what the rows say")
    twin.stop()
    api.stop()


def rewrite_of(base, file, finding):
    said = nplus1test.pgmend("queries", "rewrite", file, finding["id"], "--db-url",
                             base.url(os.environ.get("PGUSER", "postgres")), "--json", may_fail=True)
    return said, (json.loads(said[0]) if said[0].startswith("{") else {})


def recommended(found):
    """What is recommended for the only loop: its name and proofs, several when a statement each is fastest."""
    loop = found["loops"][0]
    if loop["recommended"] != "set":
        return loop["recommended"], [next(form for form in loop["forms"] if form["form"] == loop["recommended"])["proof"]]
    forms = {(form["form"], form.get("statement")): form for form in loop["forms"]}
    return "a statement each", [forms[one["form"], one["statement"]]["proof"] for one in loop["recommended_set"]]


def check_rewrite(base, file, who, loop, finding):
    name = f"{who}: {loop.name}"
    said, found = rewrite_of(base, file, finding)
    if not check(said[2] == 0 and found and found["loops"][0]["recommended"], f"{name}: a rewrite is proven",
                 f"status {said[2]}: {said[0][-1500:]} {said[1][-1500:]}"):
        return
    form, proofs = recommended(found)
    told = json.dumps(proofs)
    check(all(proof["is_same"] and proof["differing"] == 0 and proof["keys_observed"] > 0 for proof in proofs),
          f"{name}: the same for every key", told)
    total = {side: {what: sum(proof[side][what] for proof in proofs) for what in ("statements", "elapsed_us", "blocks")}
             for side in ("loop", "rewrite")}
    check(total["loop"]["statements"] >= 3 * total["rewrite"]["statements"], f"{name}: a third of the statements at most", told)
    speed_up = total["loop"]["elapsed_us"] / max(total["rewrite"]["elapsed_us"], 1)
    check(speed_up >= 3, f"{name}: {form} is at least three times as fast", told)
    # Nothing is won by reading more: a few blocks are those of the plan's own tables.
    check(total["rewrite"]["blocks"] <= total["loop"]["blocks"] * 1.1 + 20, f"{name}: it does not read more", told)
    print(f"# {name}: {form} {speed_up:.1f} times as fast, {total['loop']['statements']} statements to "
          f"{total['rewrite']['statements']}, {max(proof['keys'] for proof in proofs)} keys", flush=True)


def main():
    base = apitest.database("nplus1_replyx")
    user = busiest(World(base, apitest.NOW))
    base.sql(BUSY.format(user=user, rows=ROWS))
    world = World(base, apitest.NOW)
    trace = nplus1test.Trace(base.url(os.environ.get("PGUSER", "postgres")))
    play(base, trace, world, user)
    said = trace.stop()
    file = trace.folder / "findings.json"
    file.write_text(nplus1test.pgmend("queries", "nplusone", trace.file, "--json")[0])
    findings = json.loads(file.read_text())["findings"]
    for who, of_twin in (("replyx-api", False), ("twin", True)):
        mine = [one for one in findings if (one["application"] == "twin") == of_twin]
        for loop in LOOPS:
            fitting = [one for one in mine if loop.is_found_in(one)]
            check(len(fitting) == 1 and fitting[0]["requests"] >= TIMES, f"{who}: the loop of {loop.name} is found with its parent",
                  json.dumps(mine, indent=1)[:3500])
            if fitting and loop.name in REWRITTEN:
                check_rewrite(base, file, who, loop, fitting[0])
    apitest.done()


if __name__ == "__main__":
    sys.exit(main())
