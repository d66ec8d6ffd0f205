#!/usr/bin/env python3
"""Writes a plan file from a JSON list of changes on standard input, for the fault tests.

make_plan.py FILE PROOF, which may be empty: members that are left out are NULL. The hash is computed here from what is documented of it,
so that a plan made elsewhere is one that pgmend takes. Instead of the list there may be an object with "steps", each with its own "changes"
or with "manual" words.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("PGMEND_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[3])
MORE = ("column", "type", "storage", "expression", "key", "arguments", "settings")
OF_STEP = ("title", "needs", "manual", "undo", "promise", "proof")


def ask(query: str) -> list[str]:
    run = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", query]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout.splitlines()


def shape(changes: list[dict], every: list[dict]) -> str:
    query = (ROOT / "src/sql/catalog/table_shape.sql").read_text()
    oids = sorted({change["table_oid"] for change in changes if change.get("table_oid")})
    own = [(str(c["table_oid"]), c["name"]) for c in every if c["kind"] == "add column"]
    lines = ask("SET search_path = pg_catalog; " + query.replace("$1", "'{" + ",".join(map(str, oids)) + "}'"))
    rows = [line.split("|", 2) for line in lines]
    return "".join(line + "\n" for oid, attribute, line in rows if (oid, attribute) not in own)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def take_steps(given: dict) -> tuple[list[dict], list[dict]]:
    """The changes one after the other, and the steps that say which are theirs."""
    changes: list[dict] = []
    for step in given["steps"]:
        own = step.pop("changes", [])
        step.update({"first": len(changes), "count": len(own), "feature": step.get("feature", "test")})
        changes += own
    return changes, given["steps"]


def steps_text(steps: list[dict]) -> str:
    text = ""
    for step in steps:
        text += f"step|{step['id']}|{step['phase']}|{step['first']}|{step['count']}\n"
        for member in OF_STEP:
            if step.get(member) is not None:
                text += f"{member}:{len(step[member].encode())}:{step[member]}\n"
    return text


def main() -> None:
    given = json.load(sys.stdin)
    changes, steps = take_steps(given) if isinstance(given, dict) else (given, [])
    proof = sys.argv[2]
    database = os.environ["PGDATABASE"]
    form = "pgmend-plan-2" if steps else "pgmend-plan-1"
    text = f"{form}\n{database}\n"
    for change in changes:
        if change.get("table"):
            name = f"{change['schema']}.{change['table']}"
            change["table_oid"] = int(ask(f"SELECT '{name}'::regclass::oid")[0])
        change.update({"action": "create", "lock": change.get("lock", "none"), "blocks": "", "source": ""})
        members = ("kind", "schema", "table", "name", "statement", "undo", "duplicates", "definition")
        text += "|".join(change.get(member) or "" for member in members) + f"|{int(change.get('is_unique', False))}\n"
        for member in MORE:
            if change.get(member) is not None:
                text += f"{member}:{len(change[member].encode())}:{change[member]}\n"
    text += steps_text(steps)
    if proof:
        text += f"proof:{len(proof.encode())}:{proof}\n"
    plan = {
        "format": form, "hash": digest(text), "shape": digest(shape(changes, changes)), "database": database,
        "system_identifier": None, "server_version": "", "created_at": "2026-01-01T00:00:00Z", "changes": changes,
    }
    for step in steps:
        step["shape"] = digest(shape(changes[step["first"]:step["first"] + step["count"]], changes))
    if steps:
        plan["steps"] = steps
    if proof:
        plan["proof"] = proof
    pathlib.Path(sys.argv[1]).write_text(json.dumps(plan, indent=1))


main()
