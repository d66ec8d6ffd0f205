#!/usr/bin/env python3
"""Checks sizes and habits that no other tool checks, one "file:line: message" a problem.

Usage: limits.py [--build FOLDER] [ROOT]
    a source file has at most 800 lines, a function 60
    every source file, test and statement is listed in a meson.build
    no banner comments
    with --build: no function or variable is extern that only its own file uses
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys

FILE_LINES = 800
FUNCTION_LINES = 60
BANNER = re.compile(r"^\s*(/\*|//|\*|#|--)\s*([-=*#~_/+])\2{7,}")
SOURCES = ("src/**/*.[ch]", "src/**/*.sql", "test/**/*.[ch]", "tools/*.py", "script/*", "test/**/*.py")


def functions(lines):
    """(line, length) of each function; clang-format puts the braces of a body at column 0."""
    start = 0
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start - 1
            start = 0


def check_text(path, lines):
    if len(lines) > FILE_LINES:
        yield f"{path}:{FILE_LINES + 1}: {len(lines)} lines: split the file, {FILE_LINES} is the limit"
    for number, line in enumerate(lines, 1):
        if BANNER.search(line):
            yield f"{path}:{number}: a banner: sentences say why, blank lines part"
    if path.suffix == ".c":
        for start, length in functions(lines):
            if length > FUNCTION_LINES:
                yield f"{path}:{start}: the function has {length} lines, {FUNCTION_LINES} is the limit"


def check_listed(root):
    """Files that the build would not see."""
    listed = set()
    for build_file in [*root.glob("src/**/meson.build"), *root.glob("test/**/meson.build")]:
        for name in re.findall(r"'([^'\s]+)'", build_file.read_text(encoding="utf-8")):
            listed.add((build_file.parent / name).resolve())
            for suite in ("unit", "db", "property", "fuzz"):
                for prefix in ("test", "prop", "fuzz"):
                    listed.add((build_file.parent / suite / f"{prefix}_{name}.c").resolve())
    for path in sorted([*root.glob("src/**/*.c"), *root.glob("src/**/*.sql"), *root.glob("test/**/test_*.c")]):
        if path.resolve() not in listed and "fixtures" not in path.parts and "golden" not in path.parts:
            yield f"{path}:1: no meson.build lists this file, so it is never built"


def symbols(build):
    """Where each global symbol is defined, and which objects of ours use it."""
    defined, used = {}, collections.defaultdict(set)
    objects = sorted(str(path) for path in build.rglob("*.o"))
    if not objects:
        sys.exit(f"{build}: no object files: build first")
    listing = subprocess.run(["nm", "-A", "-g", *objects], check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        place, kind, name = line.split(":", 1)[0], *line.split()[-2:]
        if kind == "U":
            used[name].add(place)
        elif kind in "TDBRC":
            defined[name] = place
    return defined, used


def check_externs(root, build):
    """Names that could be static. Tests count as users: what only a test uses may be extern."""
    sources = {str(path.relative_to(root / "src")).replace("/", "_"): path for path in root.glob("src/**/*.c")}
    defined, used = symbols(build)
    for name, place in sorted(defined.items()):
        path = sources.get(pathlib.Path(place).name.removesuffix(".o"))
        if not path or "/src/" not in place or name == "main" or used[name] - {place}:
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        number = next((n for n, line in enumerate(lines, 1) if re.match(rf"(\S.*\W)?{name}\b", line)), 1)
        yield f"{path}:{number}: no other file uses {name}: make it static or remove it"


def check(root, build=None):
    problems = []
    for path in sorted({path for pattern in SOURCES for path in root.glob(pattern) if path.is_file()}):
        if "fixtures" not in path.parts and "golden" not in path.parts:
            problems += check_text(path, path.read_text(encoding="utf-8", errors="replace").splitlines())
    problems += check_listed(root)
    if build:
        problems += check_externs(root, build)
    return problems


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=pathlib.Path("."))
    options = parser.parse_args()
    found = check(options.root, options.build)
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
