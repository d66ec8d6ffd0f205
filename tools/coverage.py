#!/usr/bin/env python3
"""coverage.py BUILD [--lines FOLDER]: which lines of src a build with gcov has run, by folder.

--lines prints the lines of src/FOLDER that were not run instead, as FILE: FIRST-LAST. Exit status 1 when fewer than 85 %
of all lines were run, or fewer than 95 % of src/base or src/change. A line counts as run when any program ran it, and as
a line when the compiler made code of it in any.
"""
import gzip
import json
import os
import subprocess
import sys
import tempfile

LEAST_OF_ALL = 85
LEAST = {"base": 95, "change": 95}


def read(build, root):
    """{file below src: {line: times run}}"""
    notes = [os.path.join(folder, name) for folder, _, names in os.walk(build) for name in names if name.endswith(".gcda")]
    seen = {}
    with tempfile.TemporaryDirectory() as work:
        for start in range(0, len(notes), 100):
            subprocess.run(["gcov", "--json-format", "--preserve-paths"] + [os.path.abspath(note) for note in notes[start:start + 100]],
                           cwd=work, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for name in os.listdir(work):
                path = os.path.join(work, name)
                with gzip.open(path, "rt", encoding="utf-8") as file:
                    report = json.load(file)
                os.unlink(path)
                add(report, root, seen)
    return seen


def add(report, root, seen):
    """Adds what one object file counted."""
    for one in report["files"]:
        path = os.path.normpath(os.path.join(report["current_working_directory"], one["file"]))
        below = os.path.relpath(path, os.path.join(root, "src"))
        if below.startswith("..") or not below.endswith(".c"):
            continue
        lines = seen.setdefault(below, {})
        for line in one["lines"]:
            lines[line["line_number"]] = lines.get(line["line_number"], 0) + line["count"]


def print_lines(seen, folder):
    """What was not run, in one folder."""
    for file in sorted(seen):
        if file.split("/")[0] != folder:
            continue
        numbers = sorted(seen[file])
        start = None
        for index, number in enumerate(numbers + [None]):
            missed = number is not None and seen[file][number] == 0
            if missed and start is None:
                start = number
            elif not missed and start is not None:
                print(f"src/{file}: {start}-{numbers[index - 1]}")
                start = None


def main():
    """The table, or the lines of a folder."""
    build = sys.argv[1]
    seen = read(build, os.getcwd())
    if len(sys.argv) > 3:
        print_lines(seen, sys.argv[3])
        return 0
    folders = {}
    for file, lines in seen.items():
        count = folders.setdefault(file.split("/")[0] if "/" in file else ".", [0, 0])
        count[0] += sum(1 for times in lines.values() if times)
        count[1] += len(lines)
    status = 0
    for folder in sorted(folders) + [None]:
        run, total = folders[folder] if folder else [sum(part) for part in zip(*folders.values())]
        least = LEAST.get(folder, 0) if folder else LEAST_OF_ALL
        share = 100 * run / total
        failed = share < least
        status |= failed
        print(f"{'src/' + folder if folder else 'all':<16} {run:6} of {total:6} lines  {share:5.1f} %"
              + (f"  below {least} %" if failed else ""))
    return status


if __name__ == "__main__":
    sys.exit(main())
