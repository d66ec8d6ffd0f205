"""What others would choose: every single column, Dexter's way, plain greedy, and the best there is of a few candidates.

All of them ask HypoPG; its sizes, which are without deduplication, are corrected for plain greedy, so that it is not beaten
merely because it thinks that less fits. Columns of a statement are all words in it that are
columns of a table it names, which is what Dexter takes (every ColumnRef that resolves), but for names in two tables.
"""
import itertools

import measure
import server

COLUMNS = """SELECT c.relname, a.attname
               FROM pg_attribute AS a
               JOIN pg_class AS c ON c.oid = a.attrelid
               JOIN pg_type AS t ON t.oid = a.atttypid
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
                AND EXISTS (SELECT FROM pg_opclass AS o JOIN pg_am AS m ON m.oid = o.opcmethod
                             WHERE m.amname = 'btree' AND o.opcdefault AND (o.opcintype = t.oid OR t.typname = 'varchar'))
              ORDER BY c.relname, a.attnum"""
DISTINCT = """SELECT s.tablename, s.attname, s.avg_width,
                     CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * c.reltuples ELSE s.n_distinct END::float8, c.reltuples::float8
                FROM pg_stats AS s
                JOIN pg_class AS c ON c.relname = s.tablename AND c.relnamespace = 'public'::regnamespace
               WHERE s.schemaname = 'public'"""
ENTRY_BYTES, POINTER_BYTES = 20, 6  # of a b-tree: line pointer, header and alignment; a row's place in a posting list
DEXTER_LEAST_COST, DEXTER_MOST_LEFT = 100, 0.5
GREEDY_LEAST_GAIN = 0.003  # of the workload's cost, as the other algorithms have it


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def definition(table, columns):
    return f"CREATE INDEX ON {quoted(table)} ({', '.join(quoted(one) for one in columns)})"


class WhatIf:
    """Costs under hypothetical indexes; a query is asked once for each set of indexes on its tables."""

    def __init__(self, connection, queries, most_instances=2):
        self.connection, self.calls, self.known = connection, 0, {}
        self.queries = queries
        self.texts = {query.name: query.instances[:most_instances] for query in queries}
        self.columns = {}
        for table, column in server.rows_of(connection, COLUMNS):
            self.columns.setdefault(table, []).append(column)

        self.distinct = {row[:2]: row[2:] for row in server.rows_of(connection, DISTINCT)}

    def real_size(self, table, columns, size):
        """HypoPG's size, less what equal keys share: an entry for each distinct key, and a place for each row."""
        known = [self.distinct[table, column] for column in columns if (table, column) in self.distinct]
        if not known:
            return size
        rows = max(1, known[0][2])
        entry = ENTRY_BYTES + sum(one[0] for one in known)
        different = 1
        for one in known:
            different = min(rows, different * max(1, one[1]))
        return size * min(1, (different * entry + (rows - different) * POINTER_BYTES) / (rows * entry))

    def columns_of(self, query):
        """By table, those that the statement may mean."""
        return {table: [column for column in columns if column.lower() in query.words]
                for table, columns in self.columns.items() if table.lower() in query.words}

    def add(self, statement):
        """Its number and size in bytes; None where HypoPG refuses."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT h.indexrelid, hypopg_relation_size(h.indexrelid) FROM hypopg_create_index(%s) AS h",
                           (statement,))
            return cursor.fetchone()

    def reset(self):
        server.rows_of(self.connection, "SELECT hypopg_reset()")

    def drop(self, number):
        server.rows_of(self.connection, "SELECT hypopg_drop_index(%s)", (number,))

    def plan(self, text):
        self.calls += 1
        return measure.plan_of(self.connection, text)

    def cost(self, query):
        return measure.mean([self.plan(text)["Total Cost"] for text in self.texts[query.name]])

    def cost_with(self, query, chosen):
        """With what is created now, which are the tables and statements of chosen."""
        key = (query.name, frozenset(pair for pair in chosen if pair[0].lower() in query.words))
        if key not in self.known:
            self.known[key] = self.cost(query)
        return self.known[key]


def names_in(plan):
    found = {plan["Index Name"]} if "Index Name" in plan else set()
    return found.union(*(names_in(child) for child in plan.get("Plans", [])))


def candidates(what_if, width):
    """(table, columns) of all queries: permutations of what one of them mentions."""
    found = {}
    for query in what_if.queries:
        for table, columns in what_if.columns_of(query).items():
            for wide in range(1, width + 1):
                found.update({(table, one): None for one in itertools.permutations(columns, wide)})
    return list(found)


# -- Dexter --------------------------------------------------------------------------------------


def plan_with(what_if, text, pairs):
    """Cost, and which of the pairs the plan uses."""
    names = {}
    for pair in pairs:
        number = what_if.add(definition(*pair))[0]
        names[server.value_of(what_if.connection, "SELECT indexname FROM hypopg() WHERE indexrelid = %s", (number,))] = pair
    plan = what_if.plan(text)
    what_if.reset()
    return plan["Total Cost"], [names[name] for name in names_in(plan) if name in names]


def dexter_query(what_if, query):
    """One statement, as 0.6 does: single columns first, then pairs of them, then the single index that does most."""
    text = what_if.texts[query.name][0]
    start = what_if.plan(text)["Total Cost"]
    if start < DEXTER_LEAST_COST:
        return None
    tables = what_if.columns_of(query)
    single = [(table, (column,)) for table, columns in tables.items() for column in columns]
    cost, used = plan_with(what_if, text, single)
    if cost > DEXTER_LEAST_COST:
        pairs = [(table, pair) for table, columns in tables.items() for pair in itertools.permutations(columns, 2)]
        cost2, used2 = plan_with(what_if, text, single + pairs)
        if cost2 < cost * DEXTER_MOST_LEFT:
            cost, used = cost2, used2
    if not used or cost >= start * DEXTER_MOST_LEFT:
        return None
    if len(used) > 1:
        cost, best = min((plan_with(what_if, text, [pair])[0], pair) for pair in used)
        used = [best] if cost < start * DEXTER_MOST_LEFT else []
    return used


def dexter(what_if):
    found = {}
    for query in what_if.queries:
        if not query.is_write:
            found.update({pair: None for pair in dexter_query(what_if, query) or []})
    wide = {(table, columns[:1]) for table, columns in found if len(columns) > 1}
    return [definition(*pair) for pair in found if pair not in wide]


# -- greedy --------------------------------------------------------------------------------------


def greedy(what_if, most_bytes):
    """The whole workload, one index at a time: the most saved for its size, until nothing fits or pays."""
    tables, chosen, room, least = candidates(what_if, 2), [], most_bytes, None
    while True:
        best = None
        total = sum(query.weight * what_if.cost_with(query, chosen) for query in what_if.queries)
        least = least or total * GREEDY_LEAST_GAIN
        for table, columns in tables:
            if (table, columns) in chosen:
                continue
            number, size = what_if.add(definition(table, columns))
            size = what_if.real_size(table, columns, size)
            if size <= room:
                gain = gain_of(what_if, chosen, (table, columns))
                if gain > least and (best is None or gain / size > best[0]):
                    best = (gain / size, (table, columns), size)
            what_if.drop(number)
        if not best:
            what_if.reset()
            return [definition(*pair) for pair in chosen]
        what_if.add(definition(*best[1]))
        chosen.append(best[1])
        room -= best[2]


def gain_of(what_if, chosen, pair):
    """What the pair saves beside the chosen; it is created now."""
    gain = 0
    for query in what_if.queries:
        columns = what_if.columns_of(query).get(pair[0])
        if columns and pair[1][0] in columns:
            before = what_if.known[query.name, frozenset(one for one in chosen if one[0].lower() in query.words)]
            gain += query.weight * (before - what_if.cost_with(query, [*chosen, pair]))
    return gain


# -- single columns ------------------------------------------------------------------------------


def singles(what_if):
    """All, and the one that saves most."""
    all_of_them = [definition(*pair) for pair in candidates(what_if, 1)]
    best = None
    for query in what_if.queries:
        what_if.cost_with(query, [])
    for pair in candidates(what_if, 1):
        what_if.add(definition(*pair))
        gain = gain_of(what_if, [], pair)
        best = max(best or (gain, pair), (gain, pair))
        what_if.reset()
    return all_of_them, [definition(*best[1])]


# -- all subsets ---------------------------------------------------------------------------------


def exhaustive(what_if, statements, sizes, budgets):
    """For each budget the best subset of the statements, by the sizes that they really have."""
    tables = [statement.split(" ON ", 1)[1].split()[0] for statement in statements]
    total = {}
    count = len(statements)
    for query in what_if.queries:
        mine = [i for i in range(count) if tables[i].lower() in query.words]
        part = {}
        for subset in itertools.chain.from_iterable(itertools.combinations(mine, n) for n in range(len(mine) + 1)):
            for i in subset:
                what_if.add(statements[i])
            part[sum(1 << i for i in subset)] = query.weight * what_if.cost(query)
            what_if.reset()
        mask = sum(1 << i for i in mine)
        for subset in range(1 << count):
            total[subset] = total.get(subset, 0) + part[subset & mask]
    chosen = []
    for budget in budgets:
        fitting = [subset for subset in total if sum(sizes[i] for i in range(count) if subset >> i & 1) <= budget]
        best = min(fitting, key=lambda subset: (round(total[subset], 3), bin(subset).count("1"), subset))
        chosen.append([statements[i] for i in range(count) if best >> i & 1])
    return chosen
