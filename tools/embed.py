#!/usr/bin/env python3
"""Makes web.h and web.c, the files of src/web as C strings: src/web/report/page.css is web_report_page_css.

Usage: embed.py OUTPUT_FOLDER FILE...

Beside each text stands NAME_hash: "sha256-…" of it, as a Content-Security-Policy names inline content.
"""
import base64
import hashlib
import pathlib
import re
import sys


def literal(line):
    """One line as a C string literal; three octal digits cannot run into what follows them."""
    return '"' + "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}" for byte in line) + '"'


def main(folder, *files):
    header = ["/* Made by tools/embed.py from src/web: do not edit. */", "#pragma once", ""]
    source = ["/* Made by tools/embed.py from src/web: do not edit. */", '#include "web.h"', ""]
    for path in map(pathlib.Path, files):
        data = path.read_bytes()
        name = "web_" + re.sub(r"[^a-z0-9]", "_", "_".join(path.parts[-2:]).lower())
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        if 0 in data:
            sys.exit(f"{path}: holds a NUL byte, so it cannot be a C string")
        header += [f"extern const char {name}[];", f"extern const char {name}_hash[];"]
        source += [f"const char {name}[] =", *(f"    {literal(line)}" for line in data.splitlines(True)), "    ;",
                   f'const char {name}_hash[] = "sha256-{digest}";', ""]
    for name, lines in (("web.h", header), ("web.c", source)):
        (pathlib.Path(folder) / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
