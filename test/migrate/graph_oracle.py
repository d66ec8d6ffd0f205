#!/usr/bin/python3
"""Compares what pgmend says of a history's graph with what Alembic itself says.

Alembic 1.8 reads files in the order of readdir(3), newer ones by name; so Alembic is asked twice, once with a sorted
os.listdir. What pgmend says of 1.8 alone is compared where that is installed. What a revision depends on goes through a Python set, whose order changes from run to run; here it is the
order in the file, which is one of those that Alembic may take.
"""
import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import warnings

import alembic
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionMap

sys.dont_write_bytecode = True
SECONDS = 2
IS_1_8 = alembic.__version__.startswith("1.8.")
HANGS = "Alembic does not come to an end"
real_listdir = os.listdir
real_normalize = RevisionMap._normalize_depends_on


def normalize_in_order(self, revisions, map_):
    real_normalize(self, revisions, map_)
    for revision in revisions:
        left = revision._normalized_resolved_dependencies
        revision._normalized_resolved_dependencies = tuple(
            dict.fromkeys(d for d in revision._resolved_dependencies if d in left)
        )


RevisionMap._normalize_depends_on = normalize_in_order


class Hangs(Exception):
    pass


def stop(_signal, _frame):
    raise Hangs(HANGS)


signal.signal(signal.SIGALRM, stop)


@contextlib.contextmanager
def inside(folder):
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def open_folder(folder):
    ini = os.path.join(folder, "alembic.ini")
    if os.path.exists(ini):
        return ScriptDirectory.from_config(Config(ini))
    return ScriptDirectory(folder)


def facts(folder, is_sorted):
    """What Alembic finds, or the error with which it stops."""
    os.listdir = (lambda path: sorted(real_listdir(path))) if is_sorted else real_listdir
    signal.alarm(SECONDS)
    try:
        with inside(folder), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return facts_of(open_folder(os.getcwd()))
    except Exception as error:  # pylint: disable=broad-except
        argument = error.args[0] if error.args else None
        return {"error": type(error).__name__, "message": str(argument), "says": str(error)}
    finally:
        signal.alarm(0)
        os.listdir = real_listdir


def facts_of(script):
    graph = script.revision_map
    revisions = [r for k, r in graph._revision_map.items() if r is not None and k == r.revision]
    result = {
        "heads": list(graph.heads),
        "real_heads": sorted(graph._real_heads),
        "bases": list(graph.bases),
        "real_bases": sorted(graph._real_bases),
        "branch_points": sorted(r.revision for r in revisions if r.is_branch_point),
        "merge_points": sorted(r.revision for r in revisions if r.is_merge_point),
        "labels": {r.revision: sorted(r.branch_labels) for r in revisions},
    }
    try:
        result["order"] = [step.revision.revision for step in script._upgrade_revs("heads", ())]
    except Exception as error:  # pylint: disable=broad-except
        result["order_error"] = str(error)
    return result


def ask(pgmend, folder):
    answer = subprocess.run(
        pgmend.split() + ["migrations", "graph", "--json", folder], capture_output=True, check=False, text=True,
        timeout=SECONDS,
    )
    if answer.returncode != 0:
        raise RuntimeError(f"exit {answer.returncode}: {answer.stderr.strip()}")
    return json.loads(answer.stdout)


def names_labels(message):
    """A clash of labels, whichever of the two Alembic meets first."""
    words = message.split("'")
    if not message.startswith("Branch name"):
        return message
    first, second = words[2].split()[2], words[2].split()[-1]
    return f"clash of {words[1]}: {sorted([first, second])}"


def explains(problem, error):
    if IS_1_8 and not problem["stops_alembic_1_8"]:
        return False
    if error["error"] == "KeyError":
        return problem["kind"] in ("missing-parent", "missing-dependency", "ambiguous", "empty-parent") and (
            problem["id"] == error["message"]
        )
    return names_labels(problem["message"] or "") == names_labels(error["message"])


def differences(ours, sorted_facts, listed_facts):
    result = []

    def same(what, got, want):
        if got != want:
            result.append(f"{what}: pgmend says {got}, Alembic {want}")

    def same_1_8(what, got, want):
        if IS_1_8:
            same(what, got, want)

    if "error" in sorted_facts:
        same_1_8("loads", ours["loads_in_alembic_1_8"], False)
        is_about_file = sorted_facts["error"] in ("SyntaxError", "IndentationError", "UnicodeDecodeError", "ValueError")
        if not is_about_file and not any(explains(p, sorted_facts) for p in ours["problems"]):
            result.append(f"no problem is {sorted_facts}; there are {ours['problems']}")
        return result
    same_1_8("loads", ours["loads_in_alembic_1_8"], True)
    for name in ("heads", "bases"):
        same(name, ours[name], sorted_facts[name])
    for name in ("real_heads", "real_bases", "branch_points", "merge_points"):
        same(name, sorted(ours[name]), sorted_facts[name])
    labels = {r["id"]: sorted(r["labels"]) for r in ours["revisions"] if not r["is_shadowed"]}
    same("labels", labels, sorted_facts["labels"])
    if "order_error" in sorted_facts or "order_error" in listed_facts:
        says = sorted_facts.get("order_error", "") + listed_facts.get("order_error", "")
        kind = "cycle" if HANGS in says else "duplicate-id"
        same(f"{kind}, as in {says}", any(p["kind"] == kind for p in ours["problems"]), True)
        return result
    if any(p["kind"] == "cycle" for p in ours["problems"]):
        return result  # Alembic does not notice it, and there is no right order
    same("order", ours["order"], sorted_facts["order"])
    same_1_8("order of 1.8", ours["order_alembic_1_8"], listed_facts["order"])
    return result


class Tap:
    def __init__(self):
        self.number = 0
        self.failed = 0

    def ok(self, passed, name, details=()):
        self.number += 1
        print(f"{'ok' if passed else 'not ok'} {self.number} - {name}")
        for line in details:
            print(f"# {line}")
        self.failed += not passed

    def end(self):
        print(f"1..{self.number}")
        return 1 if self.failed else 0


def compare(tap, pgmend, folder, name):
    try:
        found = differences(ask(pgmend, folder), facts(folder, True), facts(folder, False))
    except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
        found = [str(error)]
    tap.ok(not found, name, found)


# ---- histories by chance ----


def pick_parents(chance, earlier):
    kind = chance.random()
    if not earlier or kind < 0.06:
        return ()
    if kind < 0.25 and len(earlier) > 1:
        return tuple(chance.sample(earlier, min(len(earlier), chance.choice((2, 2, 2, 3)))))
    near = earlier[-4:] if chance.random() < 0.6 else earlier
    return (chance.choice(near),)


def pick_dependencies(chance, earlier, labels, parents):
    if not earlier or chance.random() > 0.25:
        return ()
    pool = [x for x in earlier if x not in parents] + labels
    return tuple(chance.sample(pool, min(len(pool), chance.choice((1, 1, 2, 3)))))


def make_random(chance):
    """A list of (id, down, depends_on, labels); sometimes with a fault of each kind."""
    ids = [f"{chance.getrandbits(48):012x}" for _ in range(chance.randint(1, 24))]
    labels, rows = [], []
    for i, name in enumerate(ids):
        parents = pick_parents(chance, ids[:i])
        own = ()
        wanted = pick_dependencies(chance, ids[:i], labels, parents)
        if chance.random() < 0.12:
            own = tuple(f"l{len(labels) + k}" for k in range(chance.choice((1, 1, 2))))
            labels += own
        rows.append([name, parents, wanted, own])
    fault = chance.random()
    row = chance.choice(rows)
    if fault < 0.06:
        row[1] = row[1] + ("ffffffffffff",)
    elif fault < 0.10:
        row[2] = (chance.choice(ids)[: chance.randint(1, 11)],)
    elif fault < 0.18:
        row[1] = row[1] + (chance.choice(ids),)
    elif fault < 0.26:
        row[2] = row[2] + (chance.choice(ids),)
    elif fault < 0.34 and len(rows) > 1:
        row[0] = chance.choice(ids)
    elif fault < 0.37 and labels:
        row[3] = row[3] + (chance.choice(labels),)
    return rows


def scalar(texts):
    return repr(None if not texts else texts[0] if len(texts) == 1 else tuple(texts))


def write(folder, chance, rows):
    versions = os.path.join(folder, "versions")
    os.makedirs(versions)
    for name, parents, wanted, labels in rows:
        path = os.path.join(versions, f"{chance.getrandbits(32):08x}_{name}.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"revision = {name!r}\ndown_revision = {scalar(parents)}\n")
            file.write(f"branch_labels = {scalar(labels)}\ndepends_on = {scalar(wanted)}\n")
            file.write("def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n")


def compare_random(tap, pgmend, count, seed):
    for i in range(count):
        chance = random.Random(seed * 1000003 + i)
        rows = make_random(chance)
        with tempfile.TemporaryDirectory() as folder:
            write(folder, chance, rows)
            before = tap.failed
            compare(tap, pgmend, folder, f"by chance, seed {seed}, number {i}")
        if tap.failed > before:
            print(f"# {rows}")


def main():
    parser = argparse.ArgumentParser(description="Compares pgmend's graphs with Alembic's; prints TAP.")
    parser.add_argument("pgmend")
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--random", type=int, default=0, metavar="COUNT", help="histories made by chance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--facts", action="store_true", help="only print what Alembic says of the folders")
    options = parser.parse_args()
    if options.facts:
        for folder in options.folders:
            print(json.dumps(facts(folder, True), indent=2))
        return 0
    tap = Tap()
    for folder in options.folders:
        compare(tap, options.pgmend, folder, os.path.relpath(folder))
    compare_random(tap, options.pgmend, options.random, options.seed)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
