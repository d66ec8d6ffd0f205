"""How many loops are found in traffic whose truth is known, and that nothing else is.

Usage: accuracy.py      prints TAP

Real clients (psycopg2, asyncpg, libpq, SQLAlchemy's ORM) play all kinds of requests through "pgmend queries trace" on a
server of the test's own, which logs the very same traffic as JSON: both sources are judged against what was played.
bench/nplus1/accuracy does the same with more of everything, and more clients.
"""
import contextlib
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import nplus1test
import traffic
from nplus1test import apitest
from apitest import check, same

DATABASE = "nplus1_accuracy"
LEAST = {"n+1": 0.99, "m×n+1": 0.99, "loop": 0.95, "duplicate": 0.95}


class Server:
    """A cluster that logs every statement as JSON."""

    def __init__(self, folder):
        self.folder = folder
        self.script = str(apitest.ROOT / "script/cluster")
        text = apitest.run([self.script, "start", folder, "--scratch", "--set", "logging_collector=on",
                            "--set", "log_destination=jsonlog", "--set", "log_directory=log",
                            "--set", "log_min_duration_statement=0", "--set", "log_checkpoints=off",
                            "--set", "log_rotation_size=0"])
        self.env = {**os.environ, **dict(part.split("=", 1) for part in text.split()[1:])}

    def url(self):
        return f"postgresql:///{DATABASE}?host={self.env['PGHOST']}&port={self.env['PGPORT']}&user={self.env['PGUSER']}"

    def psql(self, sql, database=DATABASE):
        apitest.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database], stdin=sql, env=self.env)

    def logs(self):
        return sorted(glob.glob(f"{self.folder}/data/log/*.json"))

    def remove(self):
        subprocess.run([self.script, "remove", self.folder], capture_output=True, check=False)


@contextlib.contextmanager
def server():
    with tempfile.TemporaryDirectory(prefix="pgmend-accuracy-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # the server may run as another user
        found = Server(f"{folder}/pg")
        try:
            yield found
        finally:
            found.remove()


def prepare(base, lanes):
    base.psql(f"CREATE DATABASE {DATABASE}", "postgres")
    views = [view for lane in lanes if lane.client == "sqlalchemy" for view in traffic.SqlAlchemy.views(lane.name)]
    base.psql("SET log_min_duration_statement = -1;\n" + traffic.SCHEMA + "\n".join(views))


def play(base, lanes, rounds):
    """Plays the traffic through the trace: (how often what was played, trace)"""
    trace = nplus1test.Trace(base.url())
    address = {"host": "127.0.0.1", "port": trace.port, "user": base.env["PGUSER"], "dbname": DATABASE}
    played = traffic.play(lanes, rounds, address)
    said = trace.stop()
    return played, trace, said


def logged_statements(paths):
    """How many statements the server says that it ran for the clients of the traffic."""
    count = 0
    for path in paths:
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            message = entry.get("message", "")
            count += (entry.get("dbname") == DATABASE and entry.get("application_name") not in ("psql",)
                      and message.startswith("duration: ") and (" statement: " in message or " execute " in message))
    return count


def report(scores):
    """{group: (played, found)}"""
    groups = {}
    for score in scores.values():
        played, found = groups.get(score.group, (0, 0))
        groups[score.group] = (played + score.played, found + score.found)
    return groups


def missing(scores):
    return "\n".join(f"{name} in {lane}: {score.found} of {score.played}" for (lane, name), score in sorted(scores.items())
                     if score.found < score.played)


def described(finding):
    parent = finding.get("parent") or {}
    return (f"{finding['kind']} ×{finding['repeats_median']} in {finding['requests']} requests, parent {parent.get('text')}"
            f" {parent.get('key_name')}, children {[child['text'] for child in finding['children']]}")


def judge(source, findings, played):
    scores, wrong = traffic.judge(findings, played)
    groups = report(scores)
    for group, least in LEAST.items():
        count, found = groups[group]
        check(found >= least * count, f"{source}: {group}: at least {least:.0%} of {count} are found",
              f"{found} of {count}\n{missing(scores)}")
    extra = {key: score.extra for key, score in scores.items() if score.extra}
    same(extra, {}, f"{source}: nothing is found more often than it was played")
    check(not wrong, f"{source}: there is no false alarm", "\n".join(map(described, wrong)))
    return scores, wrong


def main():
    with server() as base:
        prepare(base, traffic.LANES)
        played, trace, said = play(base, traffic.LANES, 1)
        same(len({kind for _, kind in played}) >= 20, True, "the traffic has at least 20 kinds of requests")
        findings, whole = nplus1test.findings_of(trace.file, "--idle-gap", traffic.IDLE_GAP)
        check(whole["lost"] == 0, "the trace has seen everything", said)
        same(whole["statements"], logged_statements(base.logs()), "as many statements as the server logged")
        judge("wire", findings, played)
        routes = {finding["routes"][0] for finding in findings
                  if any("__pgtag__" in child["text"] for child in finding["children"]) and finding["routes"]}
        same(routes, {f"/{kind.name}" for kind in traffic.KINDS if kind.truths and not kind.only},
             "the routes are those of the tags")
        findings, _ = nplus1test.findings_of(*base.logs(), "--rerun", "--db-url", base.url(), "--database", DATABASE,
                                             "--idle-gap", traffic.IDLE_GAP)
        judge("log", findings, played)
    apitest.done()


if __name__ == "__main__":
    sys.exit(main())
