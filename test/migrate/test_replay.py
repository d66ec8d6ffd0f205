"""Compares what pgmend says of histories without running them with what the real Alembic does on a real server.

Usage: test_replay.py [NAME ...]      prints TAP

For each history of test/fixtures/histories (and for ReplyX): the first error must be the same (revision's SQLSTATE and
message); when there is none, tables, columns, types, constraints, indexes, views and sequences must be the same by name
and definition. Histories named static_* cannot run without their application: they must only be marked as not fully
understood. Needs PGHOST (PGPORT, PGUSER) of a running server, and PGMEND.
"""
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HISTORIES = ROOT / "test" / "fixtures" / "histories"
KINDS = {"p": "primary key", "u": "unique", "c": "check", "f": "foreign key", "x": "exclude"}


def oracle(folders):
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
    command = [python, str(HERE / "replay_oracle.py"), *map(str, folders)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def analyze(folder):
    command = [os.environ["PGMEND"], "migrations", "analyze", str(folder / "alembic.ini"), "--schema", "--json"]
    run = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode != 0:
        raise AssertionError(f"exit {run.returncode}: {run.stderr.decode()}")
    return json.loads(run.stdout)


def qualified(thing):
    return f"{thing['schema']}.{thing['name']}"


def ours(schema):
    """The model in the form of the oracle's catalogue."""
    tables = schema["tables"]
    partitioned = {qualified(t) for t in tables if t.get("partitioned")}
    relations = {(qualified(t), "p" if qualified(t) in partitioned else "r") for t in tables}
    relations |= {(qualified(v), "v") for v in schema["views"]}
    relations |= {(qualified(v), "m") for v in schema["materialized_views"]}
    relations |= {(qualified(s), "S") for s in schema["sequences"]}
    for table in tables + schema["materialized_views"]:
        kind = "I" if qualified(table) in partitioned else "i"
        relations |= {(f"{table['schema']}.{i['name']}", kind) for i in table.get("indexes", [])}
    return {
        "columns": [
            [qualified(t), c["name"], c["type"], c["not_null"], c.get("identity", False), c.get("generated", False),
             bool(c.get("default") or c.get("serial")) and not c.get("generated", False)]
            for t in tables for c in t["columns"]],
        "constraints": [
            [qualified(t), c["name"], c["kind"], c["columns"] if c["kind"] != "check" else None,
             not c.get("not_valid", False)]
            for t in tables for c in t["constraints"]],
        "relations": [list(pair) for pair in relations],
        "types": [[qualified(t), t["kind"], t.get("values", [])] for t in schema["types"]],
        "extensions": [[name] for name in schema["extensions"]],
    }


def theirs(catalog):
    kinds = {"e": "enum", "d": "domain", "c": "composite"}
    found = dict(catalog)
    found["constraints"] = [
        [table, name, KINDS[kind], columns if kind != "c" else None, valid]
        for table, name, kind, columns, valid in catalog["constraints"]]
    found["types"] = [[name, kinds[kind], values] for name, kind, values in catalog["types"]]
    found.pop("versions", None)
    return found


def compare_schemas(model, catalog):
    model, catalog = ours(model), theirs(catalog)
    wrong = []
    for part, rows in catalog.items():
        expected = sorted(map(json.dumps, rows))
        got = sorted(map(json.dumps, model[part]))
        wrong += [f"{part}: the server has, the model has not: {row}" for row in expected if row not in got]
        wrong += [f"{part}: the model has, the server has not: {row}" for row in got if row not in expected]
    return wrong


def compare(said, happened):
    first = said["summary"]["replay"]["first"]
    error = happened["error"]
    if error and error["sqlstate"] == "25P02":
        # The first error was caught in Python; what reaches the user is this one.
        told = [f for f in said["findings"] if f.get("evidence", {}).get("sqlstate") == "25P02"]
        return [] if told and first["sqlstate"] != "25P02" else ["25P02 is not told, or not its cause"]
    if error:
        if not first:
            return [f"no error was found, but: {error}"]
        expected = (error["sqlstate"], error["message"])
        got = (first["sqlstate"], first["message"])
        return [] if got == expected else [f"the server says {expected}", f"pgmend says {got}"]
    wrong = [] if not first or first.get("is_certain") is False else [f"an error that does not happen: {first}"]
    if said["summary"]["coverage"]["full"] == said["summary"]["revisions"]:
        wrong += compare_schemas(said["schema"], happened["schema"])
    else:
        wrong.append(f"not understood in full: {said['summary']['coverage']}")
    return wrong


def check_static(said):
    if said["summary"]["coverage"]["partial"] == 0:
        return ["what cannot be known was not marked"]
    return []


def main():
    folders = sorted(p.parent for p in HISTORIES.glob("*/alembic.ini"))
    folders.append(ROOT / "replyx")
    if len(sys.argv) > 1:
        folders = [f for f in folders if f.name in sys.argv[1:]]
    real = [f for f in folders if not f.name.startswith("static_")]
    happened = oracle(real)
    failed = 0
    for number, folder in enumerate(folders, 1):
        try:
            said = analyze(folder)
            wrong = check_static(said) if folder not in real else compare(said, happened[str(folder)])
        except AssertionError as problem:
            wrong = [str(problem)]
        print(f"{'not ok' if wrong else 'ok'} {number} - {folder.name}")
        for line in wrong[:20]:
            print(f"# {line}")
        failed += bool(wrong)
    print(f"1..{len(folders)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
