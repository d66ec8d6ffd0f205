#!/usr/bin/env python3
"""Checks every #include of src against the table "who may include whom" in ARCHITECTURE.md, and that docs/internals.md has
a line for each folder inside a folder of src.

Usage: layers.py [ROOT]

The table stands between <!-- layers --> and <!-- /layers -->:
    | folder | may include | libraries |
A row can name several folders. "everything" allows every folder. A library is a header, perhaps
only for some files: `jansson.h` in `json.c` `json.h`; a folder of headers is written `openssl/`.
A library's header that no row names may be included nowhere, if it is one of THIRD_PARTY.
"""
import pathlib
import re
import sys

THIRD_PARTY = re.compile(
    r"(libpq-fe\.h|libpq/|pg_query|jansson\.h|openssl/|ini\.h|curl/|event2/|event\.h|tree_sitter/"
    r"|(n?curses|panel)\.h|microhttpd\.h|postgres)")
GENERATED = ("sql.h", "web.h")  # made from src/sql and src/web, and of those folders in the table
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def names(cell):
    return re.findall(r"[\w.+-]+(?:/[\w.+-]+)*/?", cell)


def libraries(cell):
    """The headers of a libraries cell: header → the files that may include it, or None for all."""
    found = {}
    for part in re.split(r"[,·;]", cell):
        headers, _, files = part.partition(" in ")
        for header in names(headers):
            found[header] = set(names(files)) or None
    return found


def read_table(path):
    """folder → (folders it may include or None for all, libraries)."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    table = re.search(r"<!-- layers -->(.*?)<!-- /layers -->", text, re.S)
    if not table:
        sys.exit(f"{path}:1: there is no table between <!-- layers --> and <!-- /layers -->")
    layers = {}
    for line in table[1].splitlines():
        cells = [cell.replace("`", " ").strip() for cell in line.strip().strip("|").split("|")]
        if not line.strip().startswith("|") or cells[0] == "folder" or set(cells[0]) <= set("-: "):
            continue
        for folder in names(cells[0]):
            may = None if "everything" in cells[1] else {name.rstrip("/") for name in names(cells[1])}
            layers[folder.rstrip("/")] = (may, libraries(cells[2] if len(cells) > 2 else ""))
    return layers


def check_library(layers, folder, path, header):
    for name, files in layers[folder][1].items():
        if header == name or (name.endswith("/") and header.startswith(name)):
            if files is None or path.name in files:
                return None
            return f"<{header}> belongs in {', '.join(sorted(files))} only"
    if THIRD_PARTY.match(header):
        return f"{folder}/ may not include <{header}>"
    return None


def check_file(src, path, layers):
    """The messages about one file."""
    parts = path.relative_to(src).parts
    folder = parts[0] if len(parts) > 1 else "main.c"
    if folder == "main.c":
        return
    if folder not in layers:
        yield f"{path}:1: {folder}/ has no row in the layers table"
        return
    may = layers[folder][0]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        hit = INCLUDE.match(line)
        if not hit:
            continue
        if hit[2]:
            message = check_library(layers, folder, path, hit[2])
        elif "/" not in hit[1] and hit[1] not in GENERATED:
            message = f'"{hit[1]}" is not rooted at src'
        else:
            other = hit[1].split("/")[0].removesuffix(".h")
            allowed = other == folder or may is None or other in may
            message = None if allowed else f"{folder}/ may not include {other}/"
        if message:
            yield f"{path}:{number}: {message}"


def check_folders(root):
    """What the table of folders in docs/internals.md lacks, or has although it is gone; src/sql and src/web speak for themselves."""
    path = root / "docs/internals.md"
    named = set(re.findall(r"^\| `(src/\w+/\w+)` \|", path.read_text(encoding="utf-8"), re.M)) if path.exists() else set()
    there = {found.parent.relative_to(root).as_posix() for found in (root / "src").glob("*/*/*.[ch]")}
    for folder in sorted(there - named):
        yield f"{path}:1: {folder} has no line in the table of folders"
    for folder in sorted(named - there):
        yield f"{path}:1: {folder} is not there"


def check(root):
    layers = read_table(root / "ARCHITECTURE.md")
    src = root / "src"
    return [message for path in sorted(src.rglob("*.[ch]")) for message in check_file(src, path, layers)] + list(
        check_folders(root))


if __name__ == "__main__":
    problems = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(problems), end="\n" if problems else "")
    sys.exit(1 if problems else 0)
