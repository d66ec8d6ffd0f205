#!/usr/bin/env python3
"""Writes docs/versions.md from what `meson test` ran on each major of PostgreSQL.

Usage: versions.py server-MAJOR.json...

Beside each log stands server-MAJOR.version with what the server says its version is. The counts are those of testsum.py:
what failed for want of an extension that the server does not have counts as skipped.
"""
import datetime
import pathlib
import re
import subprocess
import sys

import testsum

# The first pattern that fits the name of a test program.
AREAS = [
    ("statements in `src/sql`, each prepared, types compared", r"sql_contract$"),
    ("connections and pools", r"(faults_)?(db_|pool|pooler)"),
    ("catalogue, schemas compared", r"catalog_"),
    ("changes, plans, roll-out, undo", r"(faults_)?(change_|cmd_|altered|fill_|gates_|interrupted|partition_kill|plan_|refused|"
     r"rehearse|rollback|servers|step_proof|watchdog|hostile|earlier|checklist)"),
    ("backups and staging copies", r"(faults_)?(backup|staging)"),
    ("blue-green", r"(faults_)?bluegreen"),
    ("migrations", r"(faults_)?(migrat|catch_up|emit)"),
    ("indexes", r"(faults_)?index_"),
    ("vectors", r"(faults_)?vector_"),
    ("monitor, doctor, KPIs", r"(faults_)?(monitor_|doctor|kpi|top$)"),
    ("queries, N+1, proxy", r"queries_|nplus1_"),
    ("load, reports, flags", r"load|report|flags"),
    ("reference application and API", r"(api|replyx)_"),
    ("commands as typed", r"golden$"),
    ("pages in a browser", r"web_"),
]
HEAD = """# Versions of PostgreSQL

pgmend works on PostgreSQL 14 to 18. This page is written by `script/test --servers`, which runs every test that needs a
server against each major; `script/test --full` ends with it. The program is the same on all: what differs stands in
variants of statements (`src/sql/**/NAME.pgNN.sql`) and in a few comparisons of the server's major.

15 is Debian's in the system; 17 and 18 are Debian's packages of other releases; 14 and 16, which no release of Debian
has, are those of the npm registry and have neither pgvector nor HypoPG nor programs such as pg_dump (`script/servers`).
pg_dump and pg_restore of the next newer major are used there. From 17 on these cannot restore into an older server, so
a backup of 16 needs postgresql-client-16: pgmend says so before it begins, and what needs a restore fails on 16 here.
"""


def area_of(name):
    return next((area for area, pattern in AREAS if re.match(pattern, name)), "others")


def read(path):
    """{area: [passed, failed, skipped]}, and what failed or was skipped: [(name, reason)]."""
    areas, bad_ones, lacking = {}, [], {}
    for test in testsum.tests_of(path):
        name = test["name"].split(" / ")[-1]
        passed, failed, skipped, bad = testsum.count(test)
        missing = testsum.lacks(path, test) if bad else None
        if missing:
            lacking.setdefault(missing, []).append(name)
            failed, skipped = 0, skipped + failed
        elif bad:
            bad_ones.append((name, bad))
        total = areas.setdefault(area_of(name), [0, 0, 0])
        for i, number in enumerate((passed, failed, skipped)):
            total[i] += number
    return areas, bad_ones, lacking


def cell(counts):
    if not counts:
        return "–"
    passed, failed, skipped = counts
    return f"{passed}" + (f", **{failed} failed**" if failed else "") + (f", {skipped} skipped" if skipped else "")


def wrap(words, start):
    line, lines = start, []
    for word in words:
        if len(line) + len(word) > 118:
            lines.append(line.rstrip())
            line = "  "
        line += word + " "
    return "\n".join(lines + [line.rstrip()])


def main(paths):
    logs = {re.search(r"server-(\d+)\.json$", path)[1]: pathlib.Path(path) for path in paths}
    found = {major: read(path) for major, path in sorted(logs.items())}
    versions = {major: path.with_suffix(".version").read_text(encoding="utf-8").split()[0] for major, path in logs.items()}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    ran = min(path.stat().st_mtime for path in logs.values())
    day = datetime.datetime.fromtimestamp(ran, datetime.timezone.utc).strftime("%Y-%m-%d")
    print(HEAD)
    print(f"Run of {day} at commit {commit}: tests that passed, failed, were skipped.\n")
    print("| area | " + " | ".join(versions[major] for major in found) + " |")
    print("| --- |" + " --- |" * len(found))
    names = [area for area, _ in AREAS] + ["others"]
    for area in names:
        if any(area in areas for areas, _, _ in found.values()):
            print(f"| {area} | " + " | ".join(cell(areas.get(area)) for areas, _, _ in found.values()) + " |")
    for major, (_, bad_ones, lacking) in found.items():
        if not bad_ones and not lacking:
            continue
        print(f"\n## PostgreSQL {versions[major]}\n")
        for extension, tests in sorted(lacking.items()):
            print(wrap(", ".join(sorted(set(tests))).split(" "), f"- Skipped in part or whole, for want of {extension}: "))
        for name, bad in sorted(bad_ones):
            said = "; ".join(re.sub(r"^not ok \d+ - ", "", line) for line in bad[:4])
            print(wrap(said.replace("|", "\\|")[:400].split(" "), f"- `{name}` failed: "))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
