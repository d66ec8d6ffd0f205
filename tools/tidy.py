#!/usr/bin/env python3
"""Runs clang-tidy on the source files that were compiled since it last read them.

Usage: tidy.py [--deep] BUILD_FOLDER [CLANG_TIDY]

Nearly all of its time is the analyzer's, which walks the paths of a function until it has seen a number of states:
6,000 take a twentieth of the time that clang's own 225,000 do. --deep: clang's own, and the tests too.

An object file is made anew whenever its source or a header changes, so a stamp that is newer than
the object, .clang-tidy and this file says that nothing is new; it holds what clang-tidy said then.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys


# What is read is the plain program: no code for sanitizers, and not what glibc's headers put in the place of toupper().
PLAIN = ["--extra-arg=-O0", "--extra-arg=-fno-sanitize=all"]
SHORT = [f"--extra-arg={arg}" for arg in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=6000")]


def is_stale(stamp, *inputs):
    return not stamp.exists() or any(path.stat().st_mtime_ns >= stamp.stat().st_mtime_ns for path in inputs)


def tidy(command, source, stamp):
    """Leaves in the stamp what clang-tidy finds: nothing, or lines to print."""
    started = stamp.with_suffix(".new")
    started.touch()
    run = subprocess.run([*command, str(source)], capture_output=True, text=True, check=False)
    said = run.stdout + "".join(line for line in run.stderr.splitlines(True) if "warnings generated" not in line)
    when = started.stat()
    started.write_text(said if run.returncode else "", encoding="utf-8")
    os.utime(started, ns=(when.st_atime_ns, when.st_mtime_ns))
    started.replace(stamp)


def main(*words):
    is_deep = "--deep" in words
    build, program = [*(word for word in words if word != "--deep"), "clang-tidy"][:2]
    build = pathlib.Path(build).resolve()
    root = pathlib.Path.cwd()
    command = [program, "-p", str(build), "--quiet", *PLAIN, *([] if is_deep else SHORT)]
    stamps = build / ("tidy-deep" if is_deep else "tidy")
    stamps.mkdir(exist_ok=True)
    jobs, all_stamps = [], []
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        source = pathlib.Path(os.path.normpath(pathlib.Path(entry["directory"]) / entry["file"]))
        stamp = stamps / (entry["output"].replace("/", "_") + ".txt")
        ours = any(source.is_relative_to(root / folder) for folder in (("src", "test") if is_deep else ("src",)))
        if ours:
            all_stamps.append(stamp)
        if ours and is_stale(stamp, build / entry["output"], root / ".clang-tidy", pathlib.Path(__file__)):
            jobs.append((command, source, stamp))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: tidy(*job), jobs))
    found = [said for said in (stamp.read_text(encoding="utf-8") for stamp in all_stamps) if said]
    print("".join(found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
