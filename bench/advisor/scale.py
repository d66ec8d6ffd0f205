"""Ten thousand statements over a thousand tables: how long the advice takes and how much memory."""
import random
import re

import server
import workload

TABLES, STATEMENTS, LARGE = 1000, 10000, 40
COLUMNS = ("owner_id", "kind", "state", "amount", "made_at", "changed_at", "label", "rank")


def make_schema():
    """A few tables are large, the rest are what a schema is full of."""
    parts = []
    for number in range(TABLES):
        rows = 40000 if number < LARGE else 300
        parts.append(f"""CREATE TABLE t{number} (id int PRIMARY KEY, owner_id int NOT NULL, kind int NOT NULL, state text NOT NULL,
            amount int NOT NULL, made_at timestamp NOT NULL, changed_at timestamp NOT NULL, label text, rank int);
        INSERT INTO t{number} SELECT k, h % {max(10, rows // 20)}, h % 7, 's' || h % 11, h % 100000,
            timestamp '2025-01-01' + k * interval '1 min', timestamp '2025-01-01' + h % 500000 * interval '1 min',
            'label ' || md5(k::text), h % 1000
          FROM (SELECT k, abs(hashint4extended(k, {number}) % 1000000007) AS h FROM generate_series(1, {rows}) AS k) AS s;""")
    return parts


def predicate(rng, alias):
    column = rng.choice(COLUMNS)
    if column.endswith("_at"):
        day = rng.randrange(1, 28)
        return f"{alias}.{column} >= timestamp '2025-01-{day:02}' AND {alias}.{column} < timestamp '2025-01-{day + 1:02}'"
    if column == "state":
        return f"{alias}.state = 's{rng.randrange(11)}'"
    if column == "label":
        return f"{alias}.label LIKE 'label {rng.randrange(4096):03x}%'"
    if column == "amount" and rng.random() < 0.5:
        return f"{alias}.amount > {rng.randrange(90000, 100000)}"
    return f"{alias}.{column} = {rng.randrange(1000)}"


def statement(rng):
    """Half of all goes to the large tables."""
    number = rng.randrange(LARGE) if rng.random() < 0.5 else rng.randrange(TABLES)
    where = " AND ".join(dict.fromkeys(predicate(rng, "a") for _ in range(rng.choice((1, 1, 2, 2, 3)))))
    chosen = ", ".join(f"a.{one}" for one in rng.sample(COLUMNS, rng.randrange(1, 5)))
    source = f"t{number} AS a"
    if rng.random() < 0.25:
        source += f" JOIN t{rng.randrange(TABLES)} AS b ON b.owner_id = a.{rng.choice(('owner_id', 'kind', 'rank'))}"
        where += f" AND {predicate(rng, 'b')}"
    text = f"SELECT {chosen} FROM {source} WHERE {where}"
    if rng.random() < 0.4:
        way = rng.choice(("", " DESC"))
        text += f" ORDER BY a.{rng.choice(COLUMNS)}{way}, a.id{way} LIMIT {rng.choice((10, 20, 50))}"
    return text


class Scale(workload.Workload):
    extensions = ("hypopg", "pg_stat_statements")

    def fill(self, _args):
        parts = make_schema()
        for start in range(0, len(parts), 100):
            server.run_script(self.database, "BEGIN;" + "".join(parts[start:start + 100]) + "COMMIT;")

    def write_file(self, path):
        rng = random.Random(20261122)
        seen = set()
        with path.open("w", encoding="utf-8") as file:
            while len(seen) < STATEMENTS:
                # Constants aside, each is another one: what counts is the number of distinct shapes.
                text = statement(rng)
                shape = re.sub(r"'[^']*'|\b\d+\b", "?", text)
                if shape not in seen:
                    seen.add(shape)
                    file.write(f"-- weight: {1 + int(rng.paretovariate(1))}\n{text};\n")
