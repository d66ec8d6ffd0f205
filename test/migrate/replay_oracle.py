"""Runs histories with the real Alembic on a real server and says what happened.

Usage: replay_oracle.py FOLDER ...

Each FOLDER has an alembic.ini. Each history gets a database of its own (libpq's PG* variables name the server), and
`upgrade heads` is run in it. Prints one JSON object: folder → { "error": { "revision", "sqlstate", "message" } or null,
"schema": { "tables": …, "indexes": …, "types": … } }: what the catalogue holds afterwards, or held before the revision
that failed.
"""
import contextlib
import io
import json
import os
import pathlib
import sys
import warnings

import psycopg2
from alembic import command
from alembic.config import Config
from sqlalchemy import exc

CATALOG = {
    "columns": """
        SELECT n.nspname || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity <> '', a.attgenerated <> '', a.atthasdef AND a.attgenerated = ''
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND {ours}
        ORDER BY 1, a.attnum""",
    "constraints": """
        SELECT n.nspname || '.' || c.relname, k.conname, k.contype,
               COALESCE((SELECT array_agg(a.attname ORDER BY x.ord)
                         FROM unnest(k.conkey) WITH ORDINALITY x(num, ord)
                         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.num), '{{}}')::text[],
               k.convalidated
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype IN ('p', 'u', 'c', 'f', 'x') AND {ours}
        ORDER BY 1, 2""",
    "relations": """
        SELECT n.nspname || '.' || c.relname, c.relkind
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'i', 'I', 'v', 'm', 'S') AND {ours}
        ORDER BY 1""",
    "types": """
        SELECT n.nspname || '.' || t.typname, t.typtype,
               COALESCE((SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e
                         WHERE e.enumtypid = t.oid), '{{}}')::text[]
        FROM pg_type t
        JOIN pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE (t.typtype IN ('e', 'd') OR c.relkind = 'c') AND {ours}
        ORDER BY 1""",
    "extensions": "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1",
}
OURS = """n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e' AND d.objid IN ({oid}))"""


def server(database):
    connection = psycopg2.connect(dbname=database)
    connection.autocommit = True
    return connection


def catalog(database):
    found = {}
    with contextlib.closing(server(database)) as connection:
        cursor = connection.cursor()
        for name, query in CATALOG.items():
            oid = "t.oid" if name == "types" else "c.oid"
            cursor.execute(query.format(ours=OURS.format(oid=oid)))
            found[name] = [list(row) for row in cursor.fetchall()]
        cursor.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute("SELECT version_num FROM alembic_version ORDER BY 1")
            found["versions"] = [row[0] for row in cursor.fetchall()]
    return found


def error_of(problem):
    if isinstance(problem, exc.DBAPIError) and problem.orig is not None:
        problem = problem.orig
    message = str(problem).split("\n", maxsplit=1)[0]
    return {
        "sqlstate": getattr(problem, "pgcode", None),
        "kind": type(problem).__name__,
        "message": message,
    }


def run(folder, database):
    config = Config(str(folder / "alembic.ini"), stdout=io.StringIO())
    # env.py reads the database from the environment, as with the command.
    os.environ["PGDATABASE"] = database
    error = None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                config.cmd_opts = None
                command.upgrade(config, "heads")
        except (Exception, SystemExit) as problem:  # pylint: disable=broad-except
            error = error_of(problem)
    return {"error": error, "schema": catalog(database)}


def main():
    results = {}
    sys.dont_write_bytecode = True
    admin = server("postgres")
    cursor = admin.cursor()
    for number, name in enumerate(sys.argv[1:]):
        database = f"pgmend_replay_{os.getpid()}_{number}"
        cursor.execute(f"CREATE DATABASE {database} TEMPLATE template0")
        try:
            results[name] = run(pathlib.Path(name), database)
        finally:
            os.environ["PGDATABASE"] = "postgres"
            cursor.execute(f"DROP DATABASE {database} WITH (FORCE)")
    json.dump(results, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
