"""What tools/docs.py has to know of Markdown: fences, code between backticks, headings."""
import re
import typing


class Code(typing.NamedTuple):
    line: int
    text: str
    language: str  # of a fence; "" without; "span" between backticks; "indent"


def blocks(lines):
    """(first line, language, lines) of each fence."""
    start, language = None, ""
    for number, line in enumerate(lines, 1):
        fence = re.match(r" {0,3}```+\s*(\S*)", line)
        if fence and start is None:
            start, language = number, fence[1]
        elif fence:
            yield start, language, lines[start:number - 1]
            start = None


def without_code(lines):
    """The lines, those of fences and indented blocks empty: their numbers stay."""
    lines = list(lines)
    for start, _, body in list(blocks(lines)):
        lines[start - 1:start + len(body) + 1] = [""] * (len(body) + 2)
    return ["" if line.startswith("    ") else line for line in lines]


def codes(lines):
    """All code of a page; a line that ends with a backslash goes on."""
    for start, language, body in blocks(lines):
        text, first = "", 0
        for number, line in enumerate(body, start + 1):
            first = first or number
            text += line.rstrip("\\") + (" " if line.endswith("\\") else "")
            if not line.endswith("\\"):
                yield Code(first, text, language)
                text, first = "", 0
    fenced = {number for start, _, body in blocks(lines) for number in range(start, start + len(body) + 2)}
    for number, line in enumerate(lines, 1):
        if line.startswith("    ") and number not in fenced and not re.match(r"\s*[-*\d]", line):
            yield Code(number, line.strip(), "indent")
    prose = "\n".join(without_code(lines))
    for span in re.finditer(r"(?<!`)`([^`]+)`(?!`)", prose):
        if "\n\n" not in span[1]:
            yield Code(prose.count("\n", 0, span.start()) + 1, span[1].replace("\n", " "), "span")


def anchors(lines):
    """What GitHub calls the headings of a page."""
    seen = {}
    for line in without_code(lines):
        heading = re.match(r"#{1,6}\s+(.*)", line)
        if heading:
            slug = re.sub(r"[^\w\- ]", "", heading[1].strip().lower()).replace(" ", "-")
            count = seen[slug] = seen.get(slug, -1) + 1
            yield f"{slug}-{count}" if count else slug
