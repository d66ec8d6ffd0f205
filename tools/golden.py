#!/usr/bin/env python3
"""Runs test/golden/<command>/<case>/ and compares what the commands print; speaks TAP.

Usage: golden.py [--update] [--pgmend PROGRAM] [--jobs N] FOLDER [COMMAND[/CASE]]...

A case is a folder:
    cmd         shell lines, run by bash -euo pipefail in an empty folder, with pgmend on PATH
    setup.sql   run by psql first, in the case's own database (optional)
    stdout      what is expected there, after masking
    stderr      the same (optional: without the file it is not compared)
    exit        the exit status (optional: 0)
    exact       with this file only folders and hosts are masked: for help and other fixed text
The database is a clone of PGMEND_TEST_TEMPLATE (a fresh one without it); PGDATABASE and DATABASE_URL
name it, CASE is the case's folder. A case with a file "nodb" gets no database and a server that
nobody answers for. No setting of whoever runs this gets in; the state folder is "state" in the empty
folder. test/golden/lib.sh is for cases of several commands. --update writes stdout, exit and, where
it is there, stderr anew.
"""
import argparse
import concurrent.futures
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TIMEOUT_S = 120
# The exit status with which lib.sh says that a case could not be prepared or that a program crashed.
BROKEN = 99
# What differs from run to run, in this order. Write a new kind of number here, never a mask in a test.
MASKS = [
    # 2026-11-22 10:11:12.345678+00, 2026-11-22T10:11:12Z
    (r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d(:?\d\d)?| UTC)?", "<time>"),
    # 2 min 5 s, 1 h 3 min, 1 d 2 h
    (r"\b\d+ (d|h|min) \d+ (h|min|s)\b", "<duration>"),
    # 1.25 ms, 13 s, 2m 5s, 120 us
    (r"\b\d+(\.\d+)? ?(us|µs|ms|s|seconds?)\b", "<duration>"),
    (r"\bpid[ =:]+\d+", "pid <pid>"),
    (r"\boid[ =:]+\d+", "oid <oid>"),
    (r"\bpgmend_golden_\d+_\d+\b", "<database>"),
    (r"\bPostgreSQL \d+(\.\d+|beta\d+|rc\d+)( \([^)]*\))?", "PostgreSQL <version>"),
    (r'"server_version": "[^"]*"', '"server_version": "<version>"'),
    # What a volume has; what is needed is not masked.
    (r"\b\d+(\.\d+)? ([kMGTP]?B|bytes) free\b", "<size> free"),
    # "us": 1234, and \"index_oid\":16385 inside a string
    (r'((?:_us|"us|_oid|server_wal_bytes)\\?"): ?\d+', r"\1: <number>"),
    # The process of a client: 4711.938550@host
    (r"\b\d+\.\d+@[\w.-]+", "<client>"),
    # What is said about an old pg_dump hangs on the machine.
    (r"(?m)^warning: pg_dump \S+ is older than .*\n", ""),
    # Hashes and random names.
    (r"\b[0-9a-f]{12,}\b", "<hex>"),
]


def mask(text, places, is_exact=False):
    for place, name in places.items():
        text = text.replace(place, name)
    if is_exact:
        return text
    for pattern, name in MASKS:
        text = re.sub(pattern, name, text)
    # The width of a table's column hangs on how long it was.
    return re.sub(r"(?<=\S)   +", "  ", text) if "<client>" in text else text


def psql(database, *arguments):
    run = subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, *arguments],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if run.returncode:
        raise RuntimeError(f"psql {' '.join(arguments)}: {run.stderr.strip()}")


def copy_strategy():
    """The words that make CREATE DATABASE quick; 14 knows only the quick way."""
    probe = subprocess.run(["psql", "-XAtqd", "postgres", "-c", "SHOW server_version_num"],
                           capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return " STRATEGY file_copy" if probe.stdout.strip() >= "150000" else ""


def create_database(database, setup, options):
    """One session of psql for all of it: starting more takes longer than what they do."""
    template = os.environ.get("PGMEND_TEST_TEMPLATE", "template1")
    arguments = ["-c", f'CREATE DATABASE "{database}" TEMPLATE "{template}"{options.strategy}']
    options.databases.append(database)
    if setup.exists():
        arguments += ["-c", f'\\connect "{database}"', "-f", str(setup)]
    psql("postgres", *arguments)


def drop_databases(databases):
    drops = [f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)' for database in databases]
    if drops:
        psql("postgres", "-c", "SET client_min_messages = warning",
             *(argument for drop in drops for argument in ("-c", drop)))


def run_case(case, number, options):
    """The exit status and the masked stdout and stderr of a case."""
    database = None if (case / "nodb").exists() else f"pgmend_golden_{os.getpid()}_{number}"
    environment = dict(os.environ, CASE=str(case), LC_ALL="C.UTF-8", TZ="UTC", NO_COLOR="1", COLUMNS="100")
    environment["PATH"] = f"{options.pgmend.parent}:{environment['PATH']}"
    for name in list(environment):
        if name.startswith(("PGMEND_", "XDG_")) or name in ("DATABASE_URL", "PGDATABASE", "PGSERVICE"):
            del environment[name]
    environment["PGMEND_CONFIG"] = "/dev/null"
    if database:
        create_database(database, case / "setup.sql", options)
        environment.update(PGDATABASE=database, DATABASE_URL=f"postgresql:///{database}")
    else:
        environment.update(PGHOST="/nonexistent")
    with tempfile.TemporaryDirectory(prefix="pgmend-golden-") as folder:
        environment.update(HOME=folder, PGMEND_STATE_DIR=f"{folder}/state")
        run = subprocess.run(
            ["bash", "-euo", "pipefail", str(case / "cmd")], cwd=folder, env=environment, errors="replace",
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False)
        places = {folder: "<folder>", str(case): "<case>"}
        if environment.get("PGHOST"):
            places[environment["PGHOST"]] = "<host>"
        is_exact = (case / "exact").exists()
        return run.returncode, mask(run.stdout, places, is_exact), mask(run.stderr, places, is_exact)


def difference(case, name, actual):
    path = case / name
    expected = path.read_text(encoding="utf-8") if path.exists() else ""
    if expected == actual:
        return []
    lines = difflib.unified_diff(
        expected.splitlines(), actual.splitlines(), f"{name} expected", f"{name} actual", n=2, lineterm="")
    return list(lines) or [f"{name}: the end of the last line differs"]


def check_case(case, number, options):
    """What is wrong with a case, as lines; none if it passes."""
    try:
        status, stdout, stderr = run_case(case, number, options)
    except (RuntimeError, OSError) as error:
        return str(error).splitlines()
    except subprocess.TimeoutExpired:
        return [f"still running after {TIMEOUT_S} s"]
    if status == BROKEN:
        return ["the case broke, so nothing was compared or written:", *stdout.splitlines(), *stderr.splitlines()]
    outputs = {"stdout": stdout}
    if status or (case / "exit").exists():
        outputs["exit"] = f"{status}\n"
    if (case / "stderr").exists():
        outputs["stderr"] = stderr
    if options.update:
        for name, text in outputs.items():
            (case / name).write_text(text, encoding="utf-8")
        return []
    problems = [line for name, text in outputs.items() for line in difference(case, name, text)]
    return problems + (["stderr:", *stderr.splitlines()] if problems and "stderr" not in outputs else [])


def check_cases(cases, folder, options):
    """How many of them fail; prints TAP."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(check_case, case, number, options) for number, case in enumerate(cases, 1)]
        for number, (case, job) in enumerate(zip(cases, jobs), 1):
            problems = job.result()
            failed += bool(problems)
            print(f"{'not ok' if problems else 'ok'} {number} - {case.relative_to(folder)}")
            for line in problems:
                print(f"# {line}")
            sys.stdout.flush()
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--update", action="store_true", default=bool(os.environ.get("PGMEND_GOLDEN_UPDATE")))
    parser.add_argument("--pgmend", type=pathlib.Path, default=pathlib.Path("build/src/pgmend"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("only", nargs="*")
    options = parser.parse_args()
    options.pgmend = options.pgmend.resolve()
    options.strategy = copy_strategy()
    options.databases = []
    folder = options.folder.resolve()
    cases = [path.parent for path in sorted(folder.glob("*/*/cmd"))
             if not options.only or any(part in (path.parts[-3], "/".join(path.parts[-3:-1])) for part in options.only)]
    print(f"1..{len(cases)}" if cases else "1..0 # SKIP no cases", flush=True)
    try:
        return 1 if check_cases(cases, folder, options) else 0
    finally:
        drop_databases(options.databases)


if __name__ == "__main__":
    sys.exit(main())
