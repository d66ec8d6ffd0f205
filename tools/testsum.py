#!/usr/bin/env python3
"""Sums up what `meson test` ran; the last line is "N passed, N failed, N skipped".

Usage: testsum.py BUILD_FOLDER_OR_LOG...

       testsum.py --failed BUILD_FOLDER    the names of what failed, a line each

A log named server-….json is of a server of script/servers: what failed there for want of an extension is skipped.
Reads meson-logs/testlog.json, and again.json beside it: what script/test has run a second time, alone. A test that
failed among others and passed alone counts as passed, and is told with what it said the first time. A program that crashed, ran out of time, ended too early or said
nothing is one failure more. Exit status 1 if anything failed or nothing ran.
"""
import json
import pathlib
import re
import sys

# cmocka writes a skipped test as "not ok 3 # SKIP".
RESULT = re.compile(r"^(not )?ok\b([^#\n]*)(#\s*(?:skip|todo)\b)?", re.I)
PLAN = re.compile(r"^1\.\.(\d+)(\s*#\s*skip)?", re.I)
TAIL = 20
# What servers say of an extension that nobody has made for them, up to 14 and after.
LACKS = re.compile(r'could not open extension control file "[^"]*/(\w+)\.control"|extension "(\w+)" is not available')


def count(test):
    """(passed, failed, skipped, what to show) of one program."""
    passed = skipped = 0
    bad, plan = [], None
    for line in test.get("stdout", "").splitlines():
        hit, planned = RESULT.match(line), PLAN.match(line)
        if planned:
            plan = int(planned[1])
            skipped += 1 if planned[2] and plan == 0 else 0
        elif hit and hit[3]:
            skipped += 1
        elif hit and hit[1]:
            bad.append(line)
        elif hit:
            passed += 1
    seen = passed + len(bad) + skipped
    status = test.get("returncode", 0)
    if test["result"] in ("TIMEOUT", "INTERRUPT"):
        bad.append("ran out of time" if test["result"] == "TIMEOUT" else "was interrupted")
    elif status < 0 or status >= 128:
        bad.append(f"died of signal {-status if status < 0 else status - 128}")
    elif test["result"] == "SKIP" and seen == 0:
        skipped = 1
    elif plan is not None and plan > seen:
        bad.append(f"ended after {seen} of {plan} tests")
    elif seen == 0:
        bad.append(f"reported no test, exit status {status}")
    elif not bad and test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL"):
        bad.append(f"exit status {status} though no test failed")
    return passed, len(bad), skipped, bad


def lacks(log, test):
    """The extension that a test asked for and that a server of script/servers does not have, or None."""
    hit = LACKS.search(test.get("stdout", "") + test.get("stderr", "")) if log.name.startswith("server-") else None
    return hit and (hit[1] or hit[2])


def tests_of(log):
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]


def show(log, test, bad, what=""):
    """Each failure with the comment lines after it, then the end of stderr."""
    print(f"--- {test['name']}{what} ({log})")
    room = 0
    for line in test.get("stdout", "").splitlines():
        if line in bad:
            room = TAIL
        elif not line.startswith("#"):
            room = 0
        if room:
            print(line)
            room -= 1
    print("\n".join(line for line in bad if not RESULT.match(line)), end="\n" if not RESULT.match(bad[-1]) else "")
    for line in test.get("stderr", "").splitlines()[-TAIL:]:
        if line and not line.startswith("(test program exited"):
            print(f"    {line}")


def log_of(path):
    return path / "meson-logs/testlog.json" if path.is_dir() else path


def main(paths):
    total = [0, 0, 0]
    for log in map(log_of, map(pathlib.Path, paths)):
        if not log.exists():
            print(f"--- {log} is missing: its tests did not run")
            total[1] += 1
            continue
        alone = {test["name"]: test for test in tests_of(log.with_name("again.json"))}
        for first in tests_of(log):
            test = alone.get(first["name"], first)
            *counts, bad = count(test)
            if bad and lacks(log, test):
                counts, bad = [counts[0], 0, counts[2] + counts[1]], []
            total = [old + new for old, new in zip(total, counts)]
            if bad:
                show(log.with_suffix(".txt"), test, bad)
            elif count(first)[3]:
                show(log.with_suffix(".txt"), first, count(first)[3], ", which passed alone")
    print("{} passed, {} failed, {} skipped".format(*total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--failed"]:
        print("\n".join(test["name"].split(" / ")[-1] for test in tests_of(log_of(pathlib.Path(sys.argv[2]))) if count(test)[3]))
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
