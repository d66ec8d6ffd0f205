"""Workloads: a database, statements with weights and real constants, and an expert's indexes, each in a folder of its own."""
import os
import pathlib
import re
import subprocess

import server

HERE = pathlib.Path(__file__).resolve().parent
WORD = re.compile(r'"[^"]*"|\'(?:[^\']|\'\')*\'|[a-z_][a-z0-9_]*', re.IGNORECASE)


class Query:
    """A statement, as often as there are constants for it; weight is that of all of them."""

    def __init__(self, name, weight, text, params=None):
        self.name, self.weight, self.text, self.params = name, weight, text.strip().rstrip(";"), params
        self.instances = []
        self.is_write = re.match(r"(INSERT|UPDATE|DELETE)\b", self.text, re.IGNORECASE) is not None
        self.words = {word.strip('"').lower() for word in WORD.findall(self.text) if word[0] != "'"}

    def sample(self, connection, most):
        """Puts the constants in that the params' statement gives, a row an instance."""
        self.instances = [self.text]
        if self.params:
            with connection.cursor() as cursor:
                cursor.execute(self.params)
                names = [column.name for column in cursor.description]
                rows = cursor.fetchmany(most)
                self.instances = [self.fill(cursor, dict(zip(names, row))) for row in rows]
        if not self.instances:
            raise RuntimeError(f"{self.name}: no constants for it")

    def fill(self, cursor, values):
        names = "|".join(sorted(values, key=len, reverse=True))
        return re.sub(rf"(?<![:\w]):({names})\b", lambda found: cursor.mogrify("%s", (values[found[1]],)).decode(),
                      self.text)


def read_queries(path):
    """Statements that begin with "-- name: …", which lines "-- weight: …" and "-- params: SELECT …" may follow."""
    queries = []
    for part in re.split(r"^-- name: ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, rest = part.split("\n", 1)
        marks = dict(re.findall(r"^-- (weight|params): (.*)$", rest, re.MULTILINE))
        text = re.sub(r"^--.*\n", "", rest, flags=re.MULTILINE)
        queries.append(Query(name.strip(), float(marks.get("weight", 1)), text, marks.get("params")))
    return queries


def read_statements(path):
    """Statements of a script, one a semicolon at the end of a line."""
    text = re.sub(r"^\s*--.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [one.strip() for one in re.split(r";\s*$", text, flags=re.MULTILINE) if one.strip()]


class Workload:
    """One whose folder has schema.sql, data.sql (both for psql, with :scale), queries.sql and expert.sql."""
    scale = "1"
    extensions = ("hypopg", "pg_stat_statements", "pg_trgm", "btree_gin")
    most_instances = 1
    critical = {}

    def __init__(self, name, scale=None):
        self.name, self.folder = name, HERE / name
        self.database = f"advisor_{name}"
        self.scale = scale or self.scale
        self.queries = []

    def load(self, args):
        subprocess.run(["createdb", self.database], check=True)
        self.fill(args)
        extensions = "".join(f"CREATE EXTENSION IF NOT EXISTS {one};" for one in self.extensions)
        server.run_script(self.database, f"SET client_min_messages = warning; {extensions}\nVACUUM (ANALYZE);")

    def fill(self, _args):
        script = "".join((self.folder / name).read_text(encoding="utf-8") for name in ("schema.sql", "data.sql"))
        server.run_script(self.database, f"\\set scale {self.scale}\n{script}")

    def prepare(self, connection):
        """Constants are taken once, from the database without indexes."""
        self.queries = read_queries(self.folder / "queries.sql")
        for query in self.queries:
            query.sample(connection, self.most_instances)

    def expert(self):
        return read_statements(self.folder / "expert.sql")

    def write_file(self, path):
        """What pgmend reads: each instance with its share of the weight."""
        with path.open("w", encoding="utf-8") as file:
            for query in self.queries:
                for one in query.instances:
                    file.write(f"-- weight: {query.weight / len(query.instances):g}\n{one};\n\n")


class TpcH(Workload):
    scale = "0.02"


class ReplyX(Workload):
    scale = "small"
    extensions = (*Workload.extensions, "vector")
    most_instances = 5
    # Those of replyx/indexes/critical.sql, which the naive statements alone must bring back.
    critical = {"dialog_messages": ["dialog_id", "timestamp DESC"],
                "assistants": ["user_id", "is_active", "created_at DESC"],
                "dialogs": ["assistant_id", "started_at DESC"],
                "knowledge_embeddings": ["assistant_id", "importance DESC", "created_at DESC"]}

    def fill(self, args):
        environment = {**os.environ, "PGDATABASE": self.database}
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "env": environment}
        subprocess.run(["/usr/bin/python3", "/usr/bin/alembic", "-c", server.ROOT / "replyx/alembic.ini", "upgrade", "head"],
                       stderr=subprocess.DEVNULL, **quiet)
        subprocess.run([args.data, "--scale", self.scale, "--fast", "--quiet", "--now", "2026-11-22"], **quiet)
        # The history makes a few indexes of its own; what is compared begins with keys alone.
        server.run_script(self.database, """SELECT format('DROP INDEX %s', i.indexrelid::regclass) FROM pg_index AS i
            JOIN pg_class AS c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace
             AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid) \\gexec""")


class Small(Workload):
    scale = "1"

    def candidates(self):
        return read_statements(self.folder / "candidates.sql")


KINDS = {"tpch": TpcH, "job": Workload, "replyx": ReplyX, "small": Small}


def make(name, scale):
    return KINDS[name](name, scale)
