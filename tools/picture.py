#!/usr/bin/env python3
"""Draws which folder of src includes which, as an SVG: docs/images/folders.svg, which ARCHITECTURE.md shows.

Usage: picture.py [--check] [ROOT]
    --check  only says whether the picture is that of today's includes; exit status 1 if not

A folder stands above all that it includes and just below the lowest that includes it. An arrow that others imply is left out: where a
includes b and c, and b includes c, there is no arrow from a to c.
"""
import collections
import html
import pathlib
import sys

import layers

PICTURE = "docs/images/folders.svg"
BOX_WIDTH, BOX_HEIGHT, GAP, ROW, MARGIN = 74, 28, 10, 92, 16
ROUNDS = 24  # of putting each row into the order of what it points to; it changes no more long before


def includes(root):
    """folder → the folders that its files include."""
    graph = collections.defaultdict(set)
    for path in sorted((root / "src").rglob("*.[ch]")):
        folder, *rest = path.relative_to(root / "src").parts
        if not rest:
            continue
        graph[folder].update(())
        for line in path.read_text(encoding="utf-8").splitlines():
            found = layers.INCLUDE.match(line)
            header = found[1] if found and found[1] else ""
            target = header.partition(".")[0] if header in layers.GENERATED else header.rpartition("/")[0]
            if target and target.split("/")[0] != folder:
                graph[folder].add(target.split("/")[0])
    # What is generated of src/sql calls the connection.
    if any("sql" in targets for targets in graph.values()):
        graph["sql"].update({"base", "db"})
    for targets in list(graph.values()):
        for target in targets:
            graph[target].update(())
    return dict(graph)


def reachable(graph, start):
    found, waiting = set(), [start]
    while waiting:
        for target in graph[waiting.pop()] - found:
            found.add(target)
            waiting.append(target)
    return found


def reduced(graph):
    """Without the arrows that others imply."""
    below = {folder: reachable(graph, folder) for folder in graph}
    return {folder: {target for target in targets if not any(target in below[other] for other in targets)}
            for folder, targets in graph.items()}


def rows_of(graph):
    """Lists of folders, the lowest row first."""
    level = {}

    def find(folder):
        if folder not in level:
            level[folder] = 1 + max((find(target) for target in graph[folder]), default=-1)
        return level[folder]

    rows = [[] for _ in range(1 + max(map(find, graph), default=-1))]
    # From the top: up to just below the lowest that includes it.
    for folder in sorted(graph, key=lambda folder: (-level[folder], folder)):
        above = [level[other] for other in graph if folder in graph[other]]
        level[folder] = min(above) - 1 if above else level[folder]
        rows[level[folder]].append(folder)
    return rows


def place(rows, arrows):
    """folder → (x, y) of its box, where few arrows cross: each row in the order of the middle of its neighbours."""
    width = max(len(row) for row in rows) * (BOX_WIDTH + GAP) - GAP
    spots = {}

    def spread(row, number):
        gap = (width - len(row) * BOX_WIDTH) / (len(row) + 1)
        for index, folder in enumerate(row):
            spots[folder] = (MARGIN + gap + index * (BOX_WIDTH + gap), MARGIN + (len(rows) - 1 - number) * ROW)

    for number, row in enumerate(rows):
        spread(row, number)
    neighbours = collections.defaultdict(set)
    for folder, targets in arrows.items():
        for target in targets:
            neighbours[folder].add(target)
            neighbours[target].add(folder)
    for _ in range(ROUNDS):
        for number, row in enumerate(rows):
            row.sort(key=lambda folder: (
                sum(spots[other][0] for other in sorted(neighbours[folder])) / max(len(neighbours[folder]), 1), folder))
            spread(row, number)
    return spots, width + 2 * MARGIN, len(rows) * ROW - (ROW - BOX_HEIGHT) + 2 * MARGIN


def draw(graph):
    arrows = reduced(graph)
    spots, width, height = place(rows_of(graph), arrows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="sans-serif" font-size="13">',
        "<title>Folders of src: arrows point to what is included</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#7d8fa6"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
    ]
    for folder in sorted(arrows):
        for target in sorted(arrows[folder]):
            x, y = spots[folder][0] + BOX_WIDTH / 2, spots[folder][1] + BOX_HEIGHT
            to_x, to_y = spots[target][0] + BOX_WIDTH / 2, spots[target][1]
            lines.append(
                f'<path d="M{x:.0f} {y:.0f}C{x:.0f} {y + 38:.0f} {to_x:.0f} {to_y - 44:.0f} {to_x:.0f} {to_y:.0f}" '
                'fill="none" stroke="#7d8fa6" marker-end="url(#tip)"/>')
    for folder, (x, y) in sorted(spots.items()):
        lines.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5" fill="#eaf1f8" '
                     'stroke="#35557a"/>')
        lines.append(f'<text x="{x + BOX_WIDTH / 2:.0f}" y="{y + 20:.0f}" text-anchor="middle" fill="#16283c">'
                     f"{html.escape(folder)}</text>")
    return "\n".join(lines + ["</svg>", ""])


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    root = pathlib.Path(arguments[0] if arguments else ".")
    path = root / PICTURE
    picture = draw(includes(root))
    if "--check" not in sys.argv:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != picture:
        sys.exit(f"{PICTURE}:1: is not the picture of today's includes: python3 tools/picture.py")


if __name__ == "__main__":
    main()
