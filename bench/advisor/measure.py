"""What a workload costs with the indexes that are there: by the planner, and measured."""
import hashlib
import json

import psycopg2

import server

SETTINGS = "SET jit = off; SET max_parallel_workers_per_gather = 0; SET statement_timeout = 0; SET timezone = 'UTC'"


class Numbers:
    """Of a whole set of indexes. A query that ran into the time limit has cost alone: None for the rest."""

    def __init__(self):
        self.cost, self.blocks, self.cpu, self.answer = {}, {}, {}, {}

    def total(self, queries, of, names=None):
        return sum(query.weight * of[query.name] for query in queries if names is None or query.name in names)

    def measured(self):
        return {name for name, blocks in self.blocks.items() if blocks is not None}


def plan_of(connection, text):
    return server.value_of(connection, f"EXPLAIN (FORMAT JSON) {text}")[0]["Plan"]


def cost_of(connection, text):
    return plan_of(connection, text)["Total Cost"]


def mean(values):
    return sum(values) / len(values)


def run_once(connection, text):
    """Shared blocks that were touched."""
    answer = server.value_of(connection, f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {text}")
    if isinstance(answer, str):
        answer = json.loads(answer)
    plan = answer[0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def measure_instance(connection, pid, query, text):
    """Blocks and CPU seconds of the second run, and a digest of the rows. Writes are undone."""
    if query.is_write:
        server.rows_of(connection, "BEGIN")
    try:
        if not query.is_write:
            run_once(connection, text)
        cpu = -server.cpu_seconds(pid)
        blocks = run_once(connection, text)
        cpu += server.cpu_seconds(pid)
        digest = ""
        if not query.is_write:
            rows = sorted(repr(row) for row in server.rows_of(connection, text))
            digest = hashlib.md5("\n".join(rows).encode()).hexdigest()
        return blocks, cpu, digest
    finally:
        if query.is_write:
            server.rows_of(connection, "ROLLBACK")


def measure_query(connection, pid, query, numbers):
    numbers.cost[query.name] = mean([cost_of(connection, text) for text in query.instances])
    try:
        got = [measure_instance(connection, pid, query, text) for text in query.instances]
    except psycopg2.errors.QueryCanceled:
        numbers.blocks[query.name] = numbers.cpu[query.name] = numbers.answer[query.name] = None
        return
    numbers.blocks[query.name] = mean([one[0] for one in got])
    numbers.cpu[query.name] = mean([one[1] for one in got])
    numbers.answer[query.name] = [one[2] for one in got]


def measure(connection, queries, timeout_s):
    """All queries, writes last, because they leave dead rows."""
    numbers = Numbers()
    pid = server.value_of(connection, "SELECT pg_backend_pid()")
    server.rows_of(connection, SETTINGS)
    server.rows_of(connection, f"SET statement_timeout = '{timeout_s}s'")
    for query in sorted(queries, key=lambda one: one.is_write):
        measure_query(connection, pid, query, numbers)
    server.rows_of(connection, "SET statement_timeout = 0")
    return numbers


INDEXES = """SELECT i.indexrelid::regclass::text, pg_relation_size(i.indexrelid), coalesce(s.idx_scan, 0), i.indisvalid,
                    pg_get_indexdef(i.indexrelid)
               FROM pg_index AS i
               JOIN pg_class AS c ON c.oid = i.indrelid
               LEFT JOIN pg_stat_user_indexes AS s ON s.indexrelid = i.indexrelid
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm')"""


def indexes(connection):
    """By name: bytes, scans, whether it is valid, definition."""
    return {row[0]: row[1:] for row in server.rows_of(connection, INDEXES)}


def remove_added(connection, kept):
    for name in indexes(connection):
        if name not in kept:
            server.rows_of(connection, f"DROP INDEX {name}")


def apply(connection, statements):
    """Statements one by one; returns those that failed, with what the server said."""
    failed = []
    for statement in statements:
        try:
            server.rows_of(connection, statement)
        except psycopg2.Error as error:
            failed.append((statement, str(error).split("\n", 1)[0]))
    return failed


def settle(connection):
    """Statistics and visibility as they are in time, and scans counted from here."""
    server.rows_of(connection, "VACUUM (ANALYZE)")
    server.rows_of(connection, "SELECT pg_stat_reset()")


def flush_scans(connection):
    if server.value_of(connection, "SELECT count(*) FROM pg_proc WHERE proname = 'pg_stat_force_next_flush'"):
        server.rows_of(connection, "SELECT pg_stat_force_next_flush()")
    server.rows_of(connection, "SELECT pg_stat_clear_snapshot()")
