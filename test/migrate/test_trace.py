"""Compares what `pgmend migrations trace` reports with what the server itself shows when the same is done by hand.

Usage: test_trace.py [NAME ...]      prints TAP

The histories are run by the real Alembic. Locks, new files of tables and rows are read by a session of our own beside a
plain transaction; downgrades are judged by pg_dump. Needs PGHOST (PGPORT, PGUSER) of a running server, and PGMEND.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
if os.path.realpath(sys.executable) != os.path.realpath(PYTHON) and "TRACE_TEST" not in os.environ:
    os.execvpe(PYTHON, [PYTHON, *sys.argv], dict(os.environ, TRACE_TEST="1"))

import psycopg2  # pylint: disable=wrong-import-position,import-error

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PGMEND = os.environ["PGMEND"]
MARK = f"pgmend_trace_{os.getpid()}"
MODES = {"AccessShareLock": "ACCESS SHARE", "RowShareLock": "ROW SHARE", "RowExclusiveLock": "ROW EXCLUSIVE",
         "ShareUpdateExclusiveLock": "SHARE UPDATE EXCLUSIVE", "ShareLock": "SHARE",
         "ShareRowExclusiveLock": "SHARE ROW EXCLUSIVE", "ExclusiveLock": "EXCLUSIVE",
         "AccessExclusiveLock": "ACCESS EXCLUSIVE"}
ORDER = list(MODES.values())

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine, pool
engine = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""

BASE = [
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "CREATE TABLE p (id bigint PRIMARY KEY, code text NOT NULL)",
    "CREATE TABLE t (id bigint PRIMARY KEY, a integer, b varchar(20), m mood, p bigint, pad text)",
    "CREATE TABLE u (id bigint PRIMARY KEY, t bigint REFERENCES t (id))",
    "CREATE INDEX t_a ON t (a)",
    'CREATE TABLE "Заказ ""а"" 1" (id integer)',
    "CREATE VIEW v AS SELECT id, a FROM t",
    "INSERT INTO p SELECT g, g FROM generate_series(1, 100) g",
    "INSERT INTO t SELECT g, g, g, 'ok', g % 100 + 1, repeat('x', 100) FROM generate_series(1, 1000) g",
]

# Each is a revision after BASE, done by Alembic and by hand.
CASES = [
    ["ALTER TABLE t ADD COLUMN c integer"],
    ['ALTER TABLE "Заказ ""а"" 1" ADD COLUMN "б" serial'],
    ["ALTER TABLE t ADD COLUMN c integer DEFAULT 5", "CREATE INDEX t_c ON t (c)"],
    ["ALTER TABLE t ALTER COLUMN p TYPE integer"],
    ["ALTER TABLE t ALTER COLUMN b TYPE varchar(40)", "ALTER TABLE p ALTER COLUMN code TYPE varchar(9)"],
    ["ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) NOT VALID",
     "ALTER TABLE t VALIDATE CONSTRAINT fk"],
    ["CREATE TABLE w (id bigint PRIMARY KEY, t bigint REFERENCES t (id))", "INSERT INTO w SELECT 1, 7"],
    ["UPDATE t SET a = a + 1 WHERE id <= 10", "DELETE FROM t WHERE id > 990",
     "ALTER TABLE t ALTER COLUMN a SET NOT NULL"],
    ["DROP TABLE u"],
    ["TRUNCATE u", "DROP INDEX t_a"],
    ["ALTER TABLE u RENAME TO uu", "ALTER TABLE uu ADD COLUMN x integer", "INSERT INTO uu SELECT 1, 1, 1"],
    ["CREATE OR REPLACE VIEW v AS SELECT id, a, b FROM t", "COMMENT ON TABLE p IS 'x'"],
    ["ALTER TYPE mood RENAME VALUE 'sad' TO 'bad'", "SELECT count(*) FROM t"],
    ["REINDEX TABLE p", "CREATE TRIGGER g BEFORE UPDATE ON u FOR EACH ROW "
     "EXECUTE FUNCTION suppress_redundant_updates_trigger()"],
]


class Wrong(AssertionError):
    pass


def check(truth, *what):
    if not truth:
        raise Wrong(" ".join(str(w) for w in what))


def connect(database):
    connection = psycopg2.connect(dbname=database)
    connection.autocommit = True
    return connection


def ask(connection, sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


class History:
    """A folder with revisions, and databases that go away with it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pgmend-trace-"))
        (self.folder / "versions").mkdir()
        (self.folder / "env.py").write_text(ENV)
        (self.folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
        self.databases = []

    def add(self, name, down, up, back="pass", depends=None):
        """up and back: SQL statements, or lines of Python."""
        def body(lines):
            if isinstance(lines, str):
                return "".join(f"    {line}\n" for line in lines.split("\n"))
            return "".join(f"    op.execute({sql!r})\n" for sql in lines) or "    pass\n"
        (self.folder / "versions" / f"{name}.py").write_text(
            f"from alembic import op\nimport sqlalchemy as sa\n\nrevision = {name!r}\ndown_revision = {down!r}\n"
            f"depends_on = {depends!r}\n\n\ndef upgrade():\n{body(up)}\n\ndef downgrade():\n{body(back)}")

    def database(self, name):
        name = f"{MARK}_{name}"
        admin = connect("postgres")
        ask(admin, f'CREATE DATABASE "{name}" TEMPLATE template0')
        admin.close()
        self.databases.append(name)
        return name

    def alembic(self, database, *args):
        host, port = os.environ["PGHOST"], os.environ.get("PGPORT", "5432")
        user = os.environ.get("PGUSER", "postgres")
        env = dict(os.environ, DATABASE_URL=f"postgresql://{user}@/{database}?host={host}&port={port}")
        return subprocess.run([PYTHON, "-m", "alembic", *args], cwd=self.folder, env=env, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def command(self, *args):
        return [PGMEND, "migrations", "trace", str(self.folder), "--db-url", "dbname=postgres", "--json", *args]

    def trace(self, *args, status=0):
        run = subprocess.run(self.command(*args), check=False, capture_output=True, text=True)
        check(run.returncode == status, "exit status", run.returncode, "not", status, run.stdout[-600:],
              run.stderr[-600:])
        return json.loads(run.stdout)

    def end(self):
        admin = connect("postgres")
        for name in self.databases:
            ask(admin, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        admin.close()
        shutil.rmtree(self.folder)


def revision(document, name):
    return next(r for r in document["revisions"] if r["id"] == name)


def files(connection):
    return dict(ask(connection, "SELECT relname::text, pg_relation_filenode(oid) FROM pg_class WHERE relkind IN "
                                "('r', 'i', 'm') AND relnamespace = 'public'::regnamespace"))


def by_hand(database, statements):
    """The statements in a transaction; what a session beside it sees: the oracle."""
    worker, looker = psycopg2.connect(dbname=database), connect(database)
    old = {oid: (name, kind) for oid, name, kind in ask(
        looker, "SELECT oid, relname::text, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace")}
    before = files(looker)
    pid = worker.info.backend_pid
    locks = {}
    first = {}
    written = {}
    for number, sql in enumerate(statements, 1):
        with worker.cursor() as cursor:
            cursor.execute(sql)
            if cursor.statusmessage.split()[0] in ("INSERT", "UPDATE", "DELETE"):
                verb = cursor.statusmessage.split()[0]
                written[verb] = written.get(verb, 0) + cursor.rowcount
        for oid, mode in ask(looker, "SELECT relation, mode FROM pg_locks WHERE pid = %s AND locktype = 'relation'",
                             pid):
            if oid not in old or ORDER.index(MODES[mode]) < ORDER.index(locks.get(old[oid][0], "ACCESS SHARE")):
                continue
            name = old[oid][0]
            if name not in locks or ORDER.index(MODES[mode]) > ORDER.index(locks[name]):
                locks[name] = MODES[mode]
                first[name] = number
    worker.commit()
    after = files(looker)
    worker.close()
    looker.close()
    changed = {name for name in before if name in after and before[name] != after[name]}
    return {"locks": locks, "first": first, "changed": changed, "written": written,
            "new_indexes": {name for name in after if name not in before and name.startswith(("t_", "w_"))}}


def test_facts():
    """Locks, the statements that took them, new files, new indexes and rows are those of the server."""
    history = History()
    try:
        history.add("start", None, BASE)
        for number, case in enumerate(CASES):
            history.add(f"c{number}", "start", case)
        document = history.trace("--no-downgrade", "--no-probes", "--keep-going", "--to", "start")
        check(document["summary"]["traced"] == 1, document["summary"])
        template = history.database("base")
        check(history.alembic(template, "upgrade", "start").returncode == 0)
        for number, case in enumerate(CASES):
            copy = f"{MARK}_case"
            admin = connect("postgres")
            ask(admin, f'CREATE DATABASE "{copy}" TEMPLATE "{template}"')
            try:
                expected = by_hand(copy, case)
            finally:
                ask(admin, f'DROP DATABASE "{copy}" WITH (FORCE)')
                admin.close()
            seen = revision(history.trace("--no-downgrade", "--copy", template, "--to", f"c{number}"), f"c{number}")
            locks = {}
            first = {}
            for lock in seen["locks"]:
                if lock["name"] not in locks or ORDER.index(lock["mode"]) > ORDER.index(locks[lock["name"]]):
                    locks[lock["name"]] = lock["mode"]
                    first[lock["name"]] = lock["statement"]
            check(locks == expected["locks"], case, "locks", locks, "by hand", expected["locks"])
            check(first == expected["first"], case, "taken by", first, "by hand", expected["first"])
            changed = {r["name"] for r in seen["rewrites"]} | {i["name"] for i in seen["indexes"] if i["is_rebuilt"]}
            check(changed == expected["changed"], case, "new files", changed, "by hand", expected["changed"])
            built = {i["name"] for i in seen["indexes"] if not i["is_rebuilt"]}
            check(built == expected["new_indexes"], case, "indexes", built, "by hand", expected["new_indexes"])
            written = {verb: sum(r[member] for r in seen["rows"]) for verb, member in
                       (("INSERT", "inserted"), ("UPDATE", "updated"), ("DELETE", "deleted"))}
            check({k: v for k, v in written.items() if v} == expected["written"], case, "rows", seen["rows"],
                  "by hand", expected["written"])
            check([s["sql"] for s in seen["statements"]] == case, case, seen["statements"])
            first_line = 10
            check([s["line"] for s in seen["statements"]] == list(range(first_line, first_line + len(case))),
                  case, "lines", [s["line"] for s in seen["statements"]])
    finally:
        history.end()


def test_waits():
    """Readers and writers wait as long as the lock is held, and only those whom it blocks."""
    history = History()
    try:
        history.add("start", None, BASE)
        history.add("share", "start", ["LOCK TABLE t IN SHARE MODE", "SELECT pg_sleep(0.5)"])
        history.add("exclusive", "share", ["SELECT pg_sleep(0.3)", "LOCK TABLE u", "SELECT pg_sleep(0.5)"])
        history.add("gone", "exclusive", ["DROP TABLE u", "SELECT pg_sleep(0.2)"])
        history.add("weak", "gone", ["UPDATE t SET a = 1"])
        document = history.trace("--no-downgrade", "--hold-limit", "400ms")
        def lock(name, table, mode):
            return next(x for x in revision(document, name)["locks"] if (x["name"], x["mode"]) == (table, mode))
        share = lock("share", "t", "SHARE")
        check(share["reader_waits"] is None and share["writer_waits"]["is_measured"], share)
        check(share["writer_waits"]["us"] >= 500000 and share["held_us"] >= 500000, share)
        exclusive = lock("exclusive", "u", "ACCESS EXCLUSIVE")
        for who in ("reader_waits", "writer_waits"):
            check(exclusive[who]["is_measured"] and exclusive[who]["us"] >= 500000, exclusive)
        check(exclusive["held_us"] >= 500000 and exclusive["statement"] == 2, exclusive)
        gone = lock("gone", "u", "ACCESS EXCLUSIVE")
        check("does not exist" in gone["reader_waits"]["error"] and gone["reader_waits"]["us"] >= 200000, gone)
        check(not lock("weak", "t", "ROW EXCLUSIVE")["writer_waits"], "ROW EXCLUSIVE lets writers pass")
        told = {(f["revision"], f["object"]) for f in document["findings"] if f["rule"] == "observed-long-lock"}
        check({("share", "t"), ("exclusive", "u")} <= told, told)
        document = history.trace("--no-downgrade", "--no-probes", "--to", "share")
        share = lock("share", "t", "SHARE")
        check(not share["writer_waits"]["is_measured"] and share["writer_waits"]["us"] >= 500000, share)
    finally:
        history.end()


def test_probes_hold_nobody_up():
    """A lock that grows, is taken back, or comes again in the next transaction: the migration goes on."""
    history = History()
    try:
        history.add("start", None, BASE)
        history.add("grow", "start", ["LOCK TABLE t IN SHARE MODE", "LOCK TABLE t IN ACCESS EXCLUSIVE MODE",
                                     "ALTER TABLE t ADD COLUMN c integer"])
        history.add("undo", "grow", ["SAVEPOINT s", "LOCK TABLE t", "ROLLBACK TO SAVEPOINT s",
                                     "ALTER TABLE t ADD COLUMN d integer"])
        history.add("again", "undo", "with op.get_context().autocommit_block():\n"
                    "    op.execute('CREATE INDEX CONCURRENTLY t_b ON t (b)')\n"
                    "    op.execute('VACUUM FULL t')\n    op.execute('DROP INDEX CONCURRENTLY t_a')\n"
                    "op.execute('ALTER TABLE t ADD COLUMN e integer')")
        document = history.trace("--no-downgrade")
        check(document["summary"]["failures"] == 0, document["summary"])
        grow = [x["mode"] for x in revision(document, "grow")["locks"] if x["name"] == "t"]
        check(grow == ["SHARE", "ACCESS EXCLUSIVE"], grow)
        undo = [(x["mode"], x["statement"]) for x in revision(document, "undo")["locks"] if x["name"] == "t"]
        check(undo == [("ACCESS EXCLUSIVE", 1), ("ACCESS EXCLUSIVE", 2)], "a lock that a savepoint gave back", undo)
        again = revision(document, "again")
        check([s["transaction"] is None for s in again["statements"]] == [True, True, True, False], again["statements"])
        check(not again["locks_are_complete"], "locks outside a transaction are never complete")
        built = {i["name"]: i for i in again["indexes"]}
        check(built["t_b"]["statement"] == 1 and not built["t_b"]["is_rebuilt"], built)
        check({(r["name"], r["statement"]) for r in again["rewrites"]} == {("t", 2)}, again["rewrites"])
    finally:
        history.end()


def test_outside_transactions():
    """What another session sees of a statement that runs by itself."""
    history = History()
    try:
        history.add("start", None, BASE)
        history.add("alone", "start", "with op.get_context().autocommit_block():\n"
                    "    op.execute('SELECT pg_sleep(0.7) FROM t WHERE id = 1')")
        alone = revision(history.trace("--no-downgrade"), "alone")
        seen = {x["name"]: x for x in alone["locks"]}
        check(seen["t"]["mode"] == "ACCESS SHARE" and seen["t"]["is_seen_from_outside"], alone["locks"])
        check(seen["t"]["held_us"] >= 700000, seen["t"])
    finally:
        history.end()


def dump(database):
    text = subprocess.run(["pg_dump", "-s", "--no-owner", "-T", "alembic_version", database], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return "\n".join(line for line in text.split("\n") if not line.startswith(("\\restrict", "\\unrestrict")))


BACK = [
    ("ok", ["CREATE TABLE a1 (id integer PRIMARY KEY)", "CREATE INDEX a1_i ON a1 (id)"], ["DROP TABLE a1"]),
    ("type", "op.create_table('a2', sa.Column('m', sa.Enum('x', 'y', name='kind')))", "op.drop_table('a2')"),
    ("default", ["ALTER TABLE t ALTER COLUMN a SET DEFAULT 3"], ["ALTER TABLE t ALTER COLUMN a SET DEFAULT 4"]),
    ("comment", ["COMMENT ON COLUMN t.a IS 'new'"], ["COMMENT ON COLUMN t.a IS NULL"]),
    ("name", ["ALTER TABLE p RENAME CONSTRAINT p_pkey TO p_key"], ["ALTER TABLE p RENAME CONSTRAINT p_key TO p_pk"]),
    ("empty", ["CREATE SEQUENCE s"], "pass"),
    ("function", ["CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'"], ["DROP FUNCTION f()"]),
]


def test_downgrades():
    """A downgrade brings the catalogue back where pg_dump says the same, and only there."""
    history = History()
    try:
        history.add("start", None, BASE, ['DROP VIEW v', 'DROP TABLE u, t, p, "Заказ ""а"" 1"', "DROP TYPE mood"])
        for name, up, back in BACK:
            history.add(name, "start", up, back)
        history.add("fails", "start", ["CREATE TABLE b1 ()"], ["DROP TABLE nothing"])
        history.add("none", "start", ["CREATE TABLE b2 ()"], "raise NotImplementedError('never')")
        document = history.trace("--no-probes")
        template = history.database("back")
        check(history.alembic(template, "upgrade", "start").returncode == 0)
        before = dump(template)
        for name, _, _ in BACK:
            copy = f"{MARK}_case"
            admin = connect("postgres")
            ask(admin, f'CREATE DATABASE "{copy}" TEMPLATE "{template}"')
            try:
                check(history.alembic(copy, "upgrade", name).returncode == 0)
                check(history.alembic(copy, "downgrade", "start").returncode == 0)
                expected = "back" if dump(copy) == before else "differs"
            finally:
                ask(admin, f'DROP DATABASE "{copy}" WITH (FORCE)')
                admin.close()
            got = revision(document, name)["downgrade"]
            check(got["result"] == expected, name, got, "pg_dump says", expected)
            check(bool(got["differences"]) == (expected == "differs"), name, got)
        check(revision(document, "start")["downgrade"]["result"] == "back", revision(document, "start")["downgrade"])
        fails = revision(document, "fails")["downgrade"]
        check(fails["result"] == "fails" and fails["failure"]["sqlstate"] == "42P01", fails)
        check(fails["failure"]["file"].endswith("fails.py") and fails["failure"]["line"] == 14, fails)
        check(revision(document, "none")["downgrade"]["result"] == "none", revision(document, "none")["downgrade"])
        again = revision(document, "type")["downgrade"]["upgrade_again"]
        check(again["sqlstate"] == "42710", again)
        mending = revision(document, "default")["downgrade"]["mending"]
        check(any("DROP DEFAULT" in sql for sql in mending), mending)
    finally:
        history.end()


def test_branches():
    """Exactly one revision is taken back, whatever hangs together with it."""
    history = History()
    try:
        for name, down, depends in (("a", None, None), ("b", "a", None), ("c", "a", None), ("d", ("b", "c"), None),
                                    ("e", "d", None), ("x", None, "b"), ("y", "x", "e")):
            history.add(name, down, [f"CREATE TABLE t_{name} ()"], [f"DROP TABLE t_{name}"], depends)
        document = history.trace("--no-probes")
        check(sorted(r["id"] for r in document["revisions"]) == list("abcdexy"), document["summary"])
        for seen in document["revisions"]:
            check(seen["downgrade"]["result"] == "back", seen["id"], seen["downgrade"])
            check(seen["changes"] == [f"+ table public.t_{seen['id']}"], seen["id"], seen["changes"])
    finally:
        history.end()


def test_failures():
    """The server's message and the line; the run stops there, or skips the revision and says so."""
    history = History()
    try:
        history.add("start", None, BASE)
        history.add("bad", "start", ["CREATE TABLE w ()", "ALTER TABLE t ADD CONSTRAINT few CHECK (id < 500)"])
        history.add("after", "bad", ["CREATE TABLE z ()"])
        history.add("python", "after", "raise RuntimeError('no luck')")
        history.add("last", "python", ["DROP TABLE z"])
        document = history.trace("--no-downgrade", status=1)
        check([r["result"] for r in document["revisions"]] == ["done", "failed"], document["summary"])
        failure = revision(document, "bad")["failure"]
        check(failure["sqlstate"] == "23514", failure)
        check(failure["message"] == 'check constraint "few" of relation "t" is violated by some row', failure)
        check(failure["file"].endswith("versions/bad.py") and failure["line"] == 11, failure)
        check(not revision(document, "bad")["changes"], "the transaction was rolled back")
        document = history.trace("--keep-going", status=3)
        check([r["result"] for r in document["revisions"]] == ["done", "skipped", "done", "skipped", "done"],
              document["summary"])
        check("no luck" in revision(document, "python")["failure"]["message"], revision(document, "python"))
        check(revision(document, "last")["changes"] == ["- table public.z"], revision(document, "last")["changes"])
    finally:
        history.end()
    history = History()
    try:
        for name, down in (("a", None), ("b", "a"), ("c", "a"), ("d", ("b", "c"))):
            history.add(name, down, [f"CREATE TABLE {name} ()"] if name != "b" else ["SELECT 1/0"])
        document = history.trace("--keep-going", "--no-downgrade", status=3)
        check({r["id"]: r["result"] for r in document["revisions"]}
              == {"a": "done", "b": "skipped", "c": "done", "d": "done"}, document["summary"])
    finally:
        history.end()


def test_range_and_copy():
    """--from, --to and --copy: where it begins, whose rows it has, and what is refused."""
    history = History()
    try:
        history.add("start", None, BASE)
        history.add("one", "start", ["ALTER TABLE t ADD COLUMN c integer"])
        history.add("two", "one", ["UPDATE t SET c = a"])
        history.add("three", "two", ["CREATE TABLE z ()"])
        document = history.trace("--no-downgrade", "--from", "start", "--to", "two")
        check([r["id"] for r in document["revisions"]] == ["one", "two"], document["summary"])
        source = history.database("source")
        check(history.alembic(source, "upgrade", "one").returncode == 0)
        connection = connect(source)
        ask(connection, "DELETE FROM t WHERE id > 3")
        run = subprocess.run(history.command("--copy", source), check=False, stdout=subprocess.PIPE, text=True)
        check(run.returncode == 1 and "1 other session is in it" in run.stdout, run.stdout)
        connection.close()
        deadline = time.monotonic() + 20
        admin = connect("postgres")
        while ask(admin, "SELECT 1 FROM pg_stat_activity WHERE datname = %s", source) and time.monotonic() < deadline:
            time.sleep(0.05)
        document = history.trace("--copy", source)
        check([r["id"] for r in document["revisions"]] == ["two", "three"], document["summary"])
        rows = {r["name"]: r["updated"] for r in revision(document, "two")["rows"]}
        check(rows == {"t": 3}, rows)
        run = subprocess.run(history.command("--copy", source, "--from", "start"), check=False, stdout=subprocess.PIPE,
                             text=True)
        check(run.returncode == 1 and "stands at one, not at start" in run.stdout, run.stdout)
        connection = connect(source)
        check(ask(connection, "SELECT count(*), count(c), (SELECT version_num FROM alembic_version) FROM t")
              == [(3, 0, "one")], "the copied database was touched")
        ask(connection, "UPDATE alembic_version SET version_num = 'elsewhere'")
        connection.close()
        while ask(admin, "SELECT 1 FROM pg_stat_activity WHERE datname = %s", source) and time.monotonic() < deadline:
            time.sleep(0.05)
        run = subprocess.run(history.command("--copy", source), check=False, stdout=subprocess.PIPE, text=True)
        check(run.returncode == 1 and "stands at revision elsewhere" in run.stdout, run.stdout)
        run = subprocess.run(history.command("--to", "nowhere"), check=False, stdout=subprocess.PIPE, text=True)
        check(run.returncode == 1 and "--to nowhere" in run.stdout, run.stdout)
        admin.close()
    finally:
        history.end()


def scratch(admin):
    return ask(admin, "SELECT datname FROM pg_database WHERE datname LIKE 'pgmend_scratch_%%'")


def test_interrupted():
    """Ctrl-C in the middle of a long statement: the scratch database goes, its sessions too."""
    history = History()
    try:
        history.add("start", None, BASE)
        history.add("long", "start", ["LOCK TABLE t", "SELECT pg_sleep(300)"])
        admin = connect("postgres")
        with subprocess.Popen(history.command("--no-downgrade"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not ask(
                    admin, "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(300)%%'"):
                time.sleep(0.05)
            mine = ask(admin, "SELECT datname FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(300)%%'")
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=60)
            check(run.returncode == 130, "exit status", run.returncode)
        check(mine and mine[0] not in scratch(admin), "the scratch database is still there", mine)
        admin.close()
    finally:
        history.end()


def test_formats():
    """The formats that other programs read, and comments that silence."""
    history = History()
    try:
        history.add("start", None, BASE, "raise NotImplementedError")
        history.add("two", "start", "# pgmend: ignore observed-under-lock -- at night\n"
                    "op.add_column('t', sa.Column('c', sa.Integer()))\nop.create_index('t_c', 't', ['c'])",
                    "op.drop_index('t_c')\nop.drop_column('t', 'c')")
        document = history.trace()
        silenced = [f["rule"] for f in document["findings"] if f.get("silenced")]
        check(silenced == ["observed-under-lock"], document["findings"])
        plain = [PGMEND, "migrations", "trace", str(history.folder), "--db-url", "dbname=postgres", "--no-probes"]
        for suffix, mark in (("sarif", '"observed-no-downgrade"'), ("md", "| start |"), ("txt", "every revision ran")):
            path = history.folder / f"out.{suffix}"
            subprocess.run([*plain, "--output", str(path)], check=True, capture_output=True)
            check(mark in path.read_text(), suffix, path.read_text()[:2000])
        run = subprocess.run([*plain, "--fail-on", "advice", "--to", "start"], check=False, capture_output=True)
        check(run.returncode == 3, "--fail-on", run.returncode)
    finally:
        history.end()


def test_replyx():
    """All 45 revisions of the reference application."""
    run = subprocess.run([PGMEND, "migrations", "trace", str(ROOT / "replyx" / "alembic.ini"), "--db-url",
                          "dbname=postgres", "--no-downgrade", "--json"], check=False, capture_output=True)
    check(run.returncode == 0, "exit status", run.returncode, run.stderr[-600:])
    document = json.loads(run.stdout)
    check(document["summary"]["traced"] == 45 and document["summary"]["failures"] == 0, document["summary"])
    told = [f for f in document["findings"] if f["rule"] in ("observed-surprise", "observed-false-alarm",
                                                             "observed-replay-differs")]
    check(not told, "static analysis and server disagree", told)
    check({r["name"] for r in revision(document, "convert_embedding_to_vector")["rewrites"]}
          == {"knowledge_embeddings", "query_embeddings_cache"}, "rewrites")


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    if len(sys.argv) > 1:
        tests = [test for test in tests if test.__name__[len("test_"):] in sys.argv[1:]]
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {test.__doc__.splitlines()[0]}", flush=True)
        except Exception as problem:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {test.__doc__.splitlines()[0]}")
            for line in (str(problem) if isinstance(problem, Wrong) else traceback.format_exc()).split("\n"):
                print(f"# {line}", flush=True)
    print(f"1..{len(tests)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
