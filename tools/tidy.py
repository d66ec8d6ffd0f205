#!/usr/bin/env python3
"""Runs clang-tidy on the source files that were compiled since it last passed them.

Usage: tidy.py BUILD_FOLDER [CLANG_TIDY]

An object file is made anew whenever its source or a header changes, so a stamp that is newer than
the object and .clang-tidy says that nothing is new.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys


def is_stale(stamp, *inputs):
    return not stamp.exists() or any(path.stat().st_mtime_ns >= stamp.stat().st_mtime_ns for path in inputs)


def tidy(program, build, source, stamp):
    """What clang-tidy says; the stamp is renewed if that is nothing."""
    started = stamp.with_suffix(".new")
    started.touch()
    run = subprocess.run(
        [program, "-p", str(build), "--quiet", str(source)], capture_output=True, text=True, check=False)
    if run.returncode == 0:
        started.replace(stamp)
        return ""
    return run.stdout + "".join(line for line in run.stderr.splitlines(True) if "warnings generated" not in line)


def main(build, program="clang-tidy"):
    build = pathlib.Path(build).resolve()
    root = pathlib.Path.cwd()
    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)
    jobs = []
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        source = pathlib.Path(os.path.normpath(pathlib.Path(entry["directory"]) / entry["file"]))
        stamp = stamps / (entry["output"].replace("/", "_") + ".ok")
        ours = any(source.is_relative_to(root / folder) for folder in ("src", "test"))
        if ours and is_stale(stamp, build / entry["output"], root / ".clang-tidy"):
            jobs.append((program, build, source, stamp))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for said in pool.map(lambda job: tidy(*job), jobs):
            failed += bool(said)
            print(said, end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
