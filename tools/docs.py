#!/usr/bin/env python3
"""Checks that what the documents name is there, one "file:line: message" a problem.

Usage: docs.py [ROOT]
    links          relative links, and the headings behind their #
    commands       words and options of each `pgmend ...` in code, by docs/commands.md (itself compared by a golden test)
    files          paths in the tree, and the options of the scripts among them
    settings       the sections and keys of blocks marked ```ini
    variables      PGMEND_...
    tests          by list and name, as in test/meson.build
    error kinds    each kind and exit status of src/base/error.h has its place in docs/troubleshooting.md
    messages       what stands there in a column "message" is said by a source
    examples       a block below <!-- example: NAME --> is run by test/golden/docs/NAME, and in some pages each block is
Code is what stands in fences, is indented by four, or stands between backticks.
"""
import pathlib
import re
import sys

import matrix
from markdown_code import anchors, blocks, codes, without_code

PAGES = ("README*.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md", "docs/*.md")
ALL_EXAMPLES_RUN = ("docs/from-the-plan.md", "docs/troubleshooting.md")
TROUBLE = "docs/troubleshooting.md"
# What begins with one of these is a path in the tree; build/ is made.
FOLDERS = r"(?:\.ci|bench|debian|docs|packaging|replyx|script|share|src|test|tools)"
PLACEHOLDER = re.compile(r"[*<>{}…$]|\.\.\.|NAME|FILE|COMMAND|\b(AREA|MAJOR|area|name|words)\b")
TEST_NAME = re.compile(r"(unit|db|faults|api|web|nplus1|fuzz|load|index|migrate)_[a-z0-9_]+")
# Sections whose keys are the user's, and those of other programs.
FREE_SECTIONS = {"mask", "databases", "pgbouncer", "users", "unit", "service", "install", "socket"}
PREFIXES = {"sudo", "exec", "then", "do", "if", "!", "time", "watch", "nice"}


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


class Tree:
    """What there is to be named."""

    def __init__(self, root):
        self.root = root
        self.tests = matrix.registered(root)
        self.options, self.shared = {}, {"--help"}
        self.read_commands(read(root / "docs/commands.md").splitlines())
        self.sources = "\n".join(read(path) for path in sorted(root.glob("src/**/*.[ch]")))
        others = (read(path) for pattern in ("script/*", "test/**/*.[csp]*", "bench/**/*", "tools/*", "share/**/*")
                  for path in root.glob(pattern) if path.is_file())
        self.variables = {name for text in (self.sources, *others) for name in re.findall(r"\bPGMEND_\w+", text)}
        for option in set().union(self.shared, *self.options.values()):
            self.variables.add("PGMEND_" + option.lstrip("-").upper().replace("-", "_"))

    def read_commands(self, lines):
        known = None
        for line in lines:
            heading = re.match(r"(##+) (.*)", line)
            if heading:
                words = heading[2].split()
                known = self.options.setdefault(" ".join(words[1:]), set()) if words[0] == "pgmend" else None
                known = self.shared if heading[2] == "Global options" else known
            elif known is not None and line.startswith("| `-"):
                known.update(re.findall(r"--?[a-zA-Z][\w-]*", line.split("|")[1].replace("\\", "")))

    def command(self, words):
        """The longest command these words begin with, or a group of commands ("index"), or None."""
        for count in range(min(3, len(words)), 0, -1):
            path = " ".join(words[:count])
            if path in self.options:
                return path
        if len(words) == 1 and any(path.startswith(words[0] + " ") for path in self.options):
            return words[0]
        return None

    def options_below(self, path):
        """Of a command, and of those that begin with its words."""
        below = [names for name, names in self.options.items() if (name + " ").startswith(path + " ")]
        return set().union(self.shared, *below)


def simple_commands(text):
    """The words of each command of a shell line; quotes stay within one word, redirections are left out."""
    text = re.sub(r"(^|\s)#.*|\d?[<>]+&?\s*[^\s|;&()]+", " ", text)
    words = re.findall(r"""(?:"(?:\\.|[^"])*"|'[^']*'|\\.|[^\s"'|;&()])+|[|;&()]+""", text)
    found = [[]]
    for word in words:
        if re.fullmatch(r"[|;&()]+", word):
            found.append([])
        elif word not in PREFIXES and not (not found[-1] and re.match(r"\w+=|\$$", word)):
            found[-1].append(word)
    return [command for command in found if command]


def check_command(tree, words):
    """What is wrong with the words behind "pgmend"."""
    words = [word.strip("\"'.,:") for word in words]
    options = [word.split("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]
    while words and words[0].startswith("-"):
        words = words[2 if words[0] in ("--db-url", "--config", "--state-dir") else 1:]
    operands = [word for word in words if not word.startswith("-")]
    path = ""
    if operands and not PLACEHOLDER.search(operands[0]):
        path = tree.command(operands)
        if path is None:
            yield f'pgmend has no command "{" ".join(operands[:2])}"'
            return
        if path == "help" and operands[1:] and operands[1].islower() and not tree.command(operands[1:]):
            yield f'pgmend has no command "{" ".join(operands[1:])}"'
    for option in options:
        if option not in (tree.options_below(path) if path else tree.shared):
            yield f"pgmend {path} has no option {option}".replace("  ", " ")


def check_files(tree, text):
    for word in re.findall(rf"(?<![\w/.~-])({FOLDERS}/[^\s\"'`|;&()=,]*)", text):
        path = re.sub(r":\d+$", "", word).rstrip(".:")
        if not PLACEHOLDER.search(path) and not (tree.root / path).exists() and not (tree.root / "src" / path).exists():
            yield f"{path} is not there"


def check_script(tree, words):
    path = tree.root / words[0].removeprefix("./")
    if not re.match(rf"(\./)?{FOLDERS}/", words[0]) or not path.is_file():
        return
    for word in words[1:]:
        option = word.split("=")[0]
        if re.match(r"--\w", word) and not re.search(rf"(?<![\w-]){option}(?![\w-])", read(path)):
            yield f"{words[0]} has no option {option}"
        if path.name == "test" and re.fullmatch(r"[a-z]\w+", word) and not tree.tests & {word, "unit_" + word, "db_" + word}:
            yield f"{word} is no test of test/meson.build"


def check_code(tree, code):
    shell = code.language in ("", "sh", "bash", "console", "indent", "span", "yaml")
    text = re.sub(r"^(\$|Next:|- run:|run:|-) ", "", code.text.strip())
    for words in simple_commands(text) if shell else []:
        if words[0].rsplit("/", 1)[-1] == "pgmend":
            yield from check_command(tree, words[1:])
        elif code.language == "span" and tree.command(words) and any(word.startswith("--") for word in words):
            yield from check_command(tree, words)
        yield from check_script(tree, words)
    yield from check_files(tree, code.text)
    for name in re.findall(r"\bPGMEND_[A-Z0-9_]*[A-Z0-9]\b", code.text):
        if name not in tree.variables:
            yield f"no file of the tree knows {name}"
    if code.language == "span" and TEST_NAME.fullmatch(code.text) and code.text not in tree.tests:
        if not re.search(rf"\b{code.text}\b", tree.sources):
            yield f"{code.text} is no test of test/meson.build"


def check_settings(tree, start, body):
    section = ""
    for number, line in enumerate(body, start + 1):
        header, setting = re.match(r"\s*\[([^\]]+)\]", line), re.match(r"\s*([\w.-]+)\s*=", line)
        first, _, _ = (section := header[1].lower() if header else section).partition(" ")
        is_command = first == "pgmend" or tree.command(section.split())
        if first in FREE_SECTIONS or not (header or setting):
            continue
        if header and not is_command and f'"{first}' not in tree.sources:
            yield number, f"no section [{section}] is known"
        elif setting:
            option = "--" + setting[1].replace("_", "-")
            options = set().union(*tree.options.values()) | tree.shared if first == "pgmend" else tree.options_below(section)
            literal = rf'"{setting[1]}"|FIELD\(struct \w+, {setting[1].replace("-", "_")}\b'
            if option not in options and (is_command or not re.search(literal, tree.sources)):
                yield number, f"[{section}] has no setting {setting[1]}"


def check_links(page, lines, root):
    for number, line in enumerate(without_code(lines), 1):
        for target in re.findall(r"\]\(([^()\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = page.parent / name if name else page
            if not path.exists():
                yield number, f"{target} is not there"
            elif anchor and anchor not in set(anchors(read(path).splitlines())):
                yield number, f"{path.relative_to(root) if name else 'this page'} has no heading #{anchor}"


def check_examples(root, name, lines):
    for start, language, _ in blocks(lines):
        mark = re.fullmatch(r"<!-- example: ([\w-]+) -->", lines[start - 2].strip()) if start > 1 else None
        if mark and not (root / "test/golden/docs" / mark[1] / "cmd").exists():
            yield start, f"test/golden/docs/{mark[1]} is not there"
        elif not mark and language == "sh" and name in ALL_EXAMPLES_RUN:
            yield start, "this block is run by no golden test: <!-- example: NAME --> is missing above it"


def check_errors(root):
    page = root / TROUBLE
    kinds = re.findall(r'^\s*X\(ERR_\w+, (\d+), \d+, "(\w+)"\)', read(root / "src/base/error.h"), re.M)
    text = read(page) if page.exists() else ""
    sections = set(anchors(text.splitlines()))
    for status, kind in kinds:
        if kind != "none" and kind not in sections:
            yield f'{TROUBLE}:1: no section "{kind}", an error kind of src/base/error.h'
        if not re.search(rf"^\| {status} \|", text, re.M):
            yield f"{TROUBLE}:1: no row of a table begins with exit status {status}"


def check_messages(tree, lines):
    """The parts of a message between what differs: names in capitals, texts in quotes, "…"."""
    said = re.sub(r'"\s*\n\s*"', "", tree.sources)
    is_message = False
    for number, line in enumerate(lines, 1):
        cell = line.split("|")[1].strip() if line.startswith("|") else ""
        is_message = cell == "message" or (is_message and bool(cell))
        for part in re.split(r'…|[:;,]? ?\[?\b[A-Z]+\b\]?|"[^"]*"', cell if is_message and cell != "message" else ""):
            if part.strip(" -") and part.strip() not in said:
                yield number, f'no source says "{part.strip()}"'


def check_page(tree, page):
    lines = read(page).splitlines()
    name = str(page.relative_to(tree.root))
    found = [*check_links(page, lines, tree.root), *check_examples(tree.root, name, lines)]
    found += [(code.line, problem) for code in codes(lines) for problem in check_code(tree, code)]
    for start, language, body in blocks(lines):
        found += check_settings(tree, start, body) if language == "ini" else []
    found += check_messages(tree, lines) if name == TROUBLE else []
    return [f"{name}:{number}: {problem}" for number, problem in dict.fromkeys(sorted(found))]


def main(arguments):
    root = pathlib.Path(arguments[0] if arguments else ".").resolve()
    tree = Tree(root)
    problems = [problem for pattern in PAGES for page in sorted(root.glob(pattern)) for problem in check_page(tree, page)]
    problems += check_errors(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
