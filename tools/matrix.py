#!/usr/bin/env python3
"""Checks that each fault and each threat has a test that makes it happen, one "file:line: message" a problem.

Usage: matrix.py [ROOT]

docs/reliability.md has a row for each of F01 to F40, docs/security.md one for each of T01 to T32:
    | F01 | what happens | what pgmend does | `faults_interrupted`, `db_backup`, `golden:apply` |
The last cell names tests of test/meson.build by list and name, as test programs are called, or a folder of test/golden; or
it begins with "cannot be made here:" and a reason, and may name tests of a part behind that.
"""
import pathlib
import re
import sys

TABLES = (("docs/reliability.md", "F", 40), ("docs/security.md", "T", 32))
# What a list of test/meson.build makes of the names in it.
LISTS = {
    "unit_tests": "unit_", "db_tests": "db_", "fault_tests": "faults_", "replyx_fault_tests": "faults_",
    "replyx_tests": "replyx_", "web_tests": "web_", "api_tests": "api_", "nplus1_tests": "nplus1_",
    "load_tests": "load_", "index_tests": "index_", "fuzz_targets": "fuzz_",
}
EXCUSE = "cannot be made here:"
LEAST_REASON = 15  # characters: a word is none


def registered(root):
    """The tests that test/meson.build knows."""
    text = (root / "test/meson.build").read_text(encoding="utf-8")
    found = set()
    for name, body in re.findall(r"^(\w+) = \[\n(.*?)^\]", text, re.M | re.S):
        if name in LISTS:
            found.update(LISTS[name] + item for item in re.findall(r"^\s*'(\w+)'", body, re.M))
    for name in re.findall(r"^\s*test\('(\w+)',", text, re.M):
        found.add(name)
    # A loop over names with their arguments: foreach name, parts : { 'facts': [...], ... }
    for body, prefix in re.findall(r"^foreach name, \w+ : \{\n(.*?)^\}\n\s*test\('(\w+)' \+ name", text, re.M | re.S):
        found.update(prefix + item for item in re.findall(r"^\s*'(\w+)':", body, re.M))
    return found


def rows(lines, letter):
    """(line, id, cells) of each row of a table whose first cell is the letter and a number."""
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("|") and re.fullmatch(letter + r"\d+", cells[0].strip("`*")):
            yield number, cells[0].strip("`*"), cells[1:]


def check_tests(root, cell, tests):
    """What is wrong with the cell that names the tests."""
    names = re.findall(r"`([\w:./-]+)`", cell)
    if cell.startswith(EXCUSE):
        reason = re.sub(r"`[^`]*`", "", cell[len(EXCUSE):]).strip()
        if len(reason) < LEAST_REASON:
            yield f'"{EXCUSE}" and no reason'
    elif not names:
        yield f'names no test and does not begin with "{EXCUSE}"'
    for name in names:
        kind, _, folder = name.partition(":")
        if kind == "golden" and folder:
            if not (root / "test/golden" / folder).is_dir():
                yield f"{name}: test/golden/{folder} is not there"
        elif name not in tests:
            yield f"{name} is no test of test/meson.build"


def check_table(root, path, letter, count, tests):
    if not (root / path).exists():
        yield f"{path}:1: is missing: it has the table {letter}01 to {letter}{count}"
        return
    seen = {}
    wanted = [f"{letter}{number:02}" for number in range(1, count + 1)]
    for number, row, cells in rows((root / path).read_text(encoding="utf-8").splitlines(), letter):
        if row in seen:
            yield f"{path}:{number}: {row} is there already, in line {seen[row]}"
        elif row not in wanted:
            yield f"{path}:{number}: there is no {row}"
        seen.setdefault(row, number)
        if len(cells) < 2 or not all(cells):
            yield f"{path}:{number}: {row} has an empty cell"
            continue
        for problem in check_tests(root, cells[-1], tests):
            yield f"{path}:{number}: {row}: {problem}"
    for row in wanted:
        if row not in seen:
            yield f"{path}:1: {row} is missing"


def main(arguments):
    root = pathlib.Path(arguments[0] if arguments else ".")
    tests = registered(root)
    problems = [problem for path, letter, count in TABLES
                for problem in check_table(root, path, letter, count, tests)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
