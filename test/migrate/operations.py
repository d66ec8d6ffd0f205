#!/usr/bin/python3
"""Alembic's SQL for each piece of Python in operations.txt.

Without an argument: TAP, whether each case is what the installed Alembic sends.
With --write: writes it. A case is "=== name", Python, "---", SQL. Names with "convention" run with
a MetaData naming convention.
"""
import io
import pathlib
import sys
import textwrap
import warnings

import alembic
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

FILE = pathlib.Path(__file__).with_name("operations.txt")
HEAD = """import enum
import json
import alembic
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql
"""
CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def render(name, python):
    out = io.StringIO()
    options = {"as_sql": True, "output_buffer": out, "literal_binds": True}
    if "convention" in name:
        options["target_metadata"] = sa.MetaData(naming_convention=CONVENTION)
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context) as op:
        source = HEAD + "def upgrade(op):\n" + textwrap.indent(python, "    ")
        scope = {}
        exec(compile(source, name, "exec"), scope)
        scope["upgrade"](op)
    # Offline, percent signs come out as the driver would want them.
    return "\n".join(line for line in out.getvalue().replace("%%", "%").splitlines() if line.strip())


def cases_of(text):
    """(name, Python, whole text) of each case."""
    for case in text.split("=== ")[1:]:
        name, rest = case.split("\n", 1)
        python = rest.split("\n---\n")[0]
        yield name, python, case


def main():
    warnings.simplefilter("ignore")
    if not alembic.__version__.startswith("1.8."):
        print("1..0 # SKIP the file is Alembic 1.8's")
        return 0
    text = FILE.read_text()
    now = {name: f"{name}\n{python}\n---\n{render(name, python)}\n\n" for name, python, _ in cases_of(text)}
    if sys.argv[1:] == ["--write"]:
        FILE.write_text("=== ".join([text.split("=== ", 1)[0], *now.values()]))
        return 0
    failed = 0
    for number, (name, _, case) in enumerate(cases_of(text), 1):
        same = case == now[name]
        failed += not same
        print(f"{'ok' if same else 'not ok'} {number} - {name}")
    print(f"1..{len(now)}")
    return 1 if failed else 0


sys.exit(main())
