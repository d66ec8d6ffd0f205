"""The life of a request: who hangs up is worked for no longer, what takes too long is ended, what fails says nothing of us.

Usage: life.py      prints TAP

Statements are made to wait by a lock on the table that they read.
"""
import contextlib
import json
import re
import select
import socket
import subprocess
import threading

import apitest
from apitest import check, same, wait_until

COUNTED = 'replyx_requests_total{route="assistants",variant="%s",status="%s"}'


class Lock:
    """An ACCESS EXCLUSIVE lock that a session of ours holds."""

    def __init__(self, base, table):
        self.base, self.table = base, table

    def __enter__(self):
        self.session = subprocess.Popen(["psql", "-XqAt", "-d", self.base.name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.session.stdin.write(f"BEGIN; LOCK TABLE public.{self.table};\nSELECT 'held';\n")
        self.session.stdin.flush()
        assert self.session.stdout.readline() == "held\n"

    def __exit__(self, *unused):
        self.session.stdin.write("ROLLBACK;\n")
        self.session.communicate()


def waiting(base):
    """Sessions of the API that wait for a lock."""
    return int(base.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                          " AND usename = 'replyx_api' AND wait_event_type = 'Lock'"))


def ask_and_hang_up(server, user, count, seen):
    """Requests on connections of their own, which are closed once seen() holds."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            client.sendall(f"GET /assistants HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token(user)}"
                           "\r\n\r\n".encode())
            clients.append(client)
        seen()
        same(select.select(clients, [], [], 0)[0], [], "while it waits, there is no answer")


def hanging_up(base, variant, user):
    """What runs is cancelled, what waits in the queue never runs."""
    server = apitest.Server(base, variant, ["--pool-size", "2", "--max-overflow", "0", "--shared-size", "1",
                                            "--shared-depth", "2"])
    with Lock(base, "assistants"):
        ask_and_hang_up(server, user, 8, lambda: wait_until("statements wait for the lock", lambda: waiting(base) > 0))
        wait_until(f"{variant}: nothing waits for those who hung up", lambda: waiting(base) == 0)
        wait_until(f"{variant}: all are counted as gone",
                   lambda: server.metrics().get(COUNTED % (variant, "gone")) == 8)
        check(True, f"{variant}: while the lock is held nothing waits for those who hung up")
        wait_until("none is under way", lambda: server.metrics()['replyx_requests_under_way{worker="0"}'] == 0)
    same(server.get("/assistants", user).status, 200, f"{variant}: others are answered after it")
    found = server.metrics()
    same(found.get(COUNTED % (variant, "2xx")), 1, f"{variant}: one answer was counted")
    same(found.get(COUNTED % (variant, "5xx")), 0, f"{variant}: and no failure")
    server.stop()


def in_parallel(count, call):
    found = []

    def one():
        found.append(call())

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def says_nothing(answer, *words):
    """An error in JSON without a word of ours."""
    text = answer.body.decode()
    return set(answer.json()) == {"error"} and not any(word in text for word in words)


def too_long(base, variant, user):
    server = apitest.Server(base, variant, ["--request-limit", "1s"])
    with Lock(base, "assistants"):
        answer = server.get("/assistants", user)
        check(answer.status == 504 and says_nothing(answer, "assistants", "statement", "lock", "SELECT"),
              f"{variant}: what takes longer than the limit is a 504", answer)
        wait_until("it does not wait on", lambda: waiting(base) == 0)
    same(server.get("/assistants", user).status, 200, f"{variant}: the next one is answered")
    server.stop()


def too_many(base, variant, user):
    """Beyond pool and queue there is an answer at once."""
    server = apitest.Server(base, variant, ["--pool-size", "1", "--max-overflow", "0", "--shared-size", "1",
                                            "--shared-depth", "1", "--pool-queue", "2", "--pool-timeout", "1s",
                                            "--request-limit", "3s"])

    def ask():
        answer = server.get("/assistants", user)
        server.close()
        return answer

    with Lock(base, "assistants"):
        found = in_parallel(10, ask)
        statuses = sorted(answer.status for answer in found)
        check(statuses.count(503) >= 7 and set(statuses) <= {503, 504}, f"{variant}: all but one are told to come later",
              statuses)
        check(all(answer.header("retry-after", "").isdigit() and says_nothing(answer, "pool", "queue")
                  for answer in found if answer.status == 503), f"{variant}: and when", found)
    server.stop()


def our_fault(base, variant, user):
    """A right that the role lacks, a table that is gone: the client learns nothing, the log does."""
    server = apitest.Server(base, variant)
    for doing, undoing, words in (
            ("REVOKE SELECT ON public.assistants FROM replyx_api", "GRANT SELECT ON public.assistants TO replyx_api",
             ("assistants", "permission", "42501")),
            ("ALTER TABLE public.assistants RENAME TO gone", "ALTER TABLE public.gone RENAME TO assistants",
             ("assistants", "relation", "42P01"))):
        base.sql(doing)
        answer = server.get("/assistants", user)
        base.sql(undoing)
        check(answer.status == 500 and answer.json()["error"]["kind"] == "server" and says_nothing(answer, *words),
              f"{variant}: {words[2]} is our fault, and no business of the client", answer)
        check(words[2] in server.logged(), f"{variant}: {words[2]} is logged", server.logged())
        same(server.get("/assistants", user).status, 200, f"{variant}: mended, it works")
    server.stop()


def health(base, user):
    """Alive and able to answer are two things."""
    server = apitest.Server(base, "optimised", ["--pool-timeout", "1s"])
    same((server.get("/health/live").status, server.get("/health/ready").status, server.get("/health").status),
         (200, 200, 200), "alive and ready")
    same(server.get("/health").json()["status"], "ok", "in JSON")
    same(server.get("/health/other").status, 404, "there is no other health")
    same(server.request("HEAD", "/health").body, b"", "HEAD has no body")
    # Nobody but superusers is let in any more, and who is in is thrown out.
    apitest.psql(f'ALTER DATABASE "{base.name}" CONNECTION LIMIT 0')
    base.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
             " AND usename = 'replyx_api'")
    wait_until("without a database it is not ready", lambda: server.get("/health/ready").status == 503)
    same((server.get("/health/live").status, server.get("/health").json()["status"]), (200, "no database"),
         "it is alive all the same, and says what is missing")
    answer = server.get("/assistants", user)
    check(answer.status == 503 and says_nothing(answer, base.name, "connection limit", "role"),
          "requests are told to come later", answer)
    apitest.psql(f'ALTER DATABASE "{base.name}" CONNECTION LIMIT -1')
    wait_until("with a database it is ready", lambda: server.get("/health/ready").status == 200)
    wait_until("and answers", lambda: server.get("/assistants", user).status == 200)
    check(True, "a database that is back is used")
    server.stop()


def metrics(base, user):
    server = apitest.Server(base, "optimised")
    for path in ("/assistants", "/balance", "/nothing", "/dialogs/1/messages?limit=x"):
        server.get(path, user)
    server.get("/assistants")
    answer = server.get("/metrics")
    result = subprocess.run(["promtool", "check", "metrics"], input=answer.body, capture_output=True, check=False)
    same((result.returncode, result.stdout + result.stderr), (0, b""), "promtool finds nothing wrong with the metrics")
    check(answer.header("content-type", "").startswith("text/plain; version=0.0.4"), "of the type that Prometheus reads",
          answer.headers)
    found = server.metrics()
    same(found[COUNTED % ("optimised", "2xx")], 1, "good answers are counted")
    same(found['replyx_requests_total{route="assistants",variant="none",status="4xx"}'], 1, "refused ones too")
    same(found['replyx_requests_total{route="none",variant="none",status="4xx"}'], 1, "and those for no route")
    same(found['replyx_request_statements_total{route="assistants",variant="optimised"}'], 2, "so are statements")
    wait_until("gauges of the pool", lambda: server.metrics().get(
        'replyx_pool_open_connections{worker="0",pool="web"}', 0) >= 1)
    for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        same(server.get("/metrics", headers={header: "203.0.113.9"}).status, 404, f"nobody is shown them through {header}")
    server.stop()


def headers(base, user):
    server = apitest.Server(base, "naive")
    answer = server.get("/assistants", user)
    timing = answer.header("server-timing", "")
    check(re.fullmatch(r"queue;dur=\d+\.\d{3}, db;dur=\d+\.\d{3}, total;dur=\d+\.\d{3}", timing), "Server-Timing", timing)
    same((answer.header("x-variant"), answer.header("content-type")), ("naive", "application/json"), "X-Variant, type")
    failed = server.get("/dialogs/2147483647/messages", user)
    same((failed.status, failed.header("x-variant"), failed.header("x-query-count")), (404, "naive", "4"),
         "an error has them too: BEGIN, set_config, the dialog, ROLLBACK")
    wrong = server.request("DELETE", "/assistants", user)
    same((wrong.status, wrong.header("allow")), (405, "GET, HEAD"), "another method is told which there are")
    same(json.loads(wrong.body)["error"]["kind"], "unsupported", "in JSON")
    server.stop()


def main():
    base = apitest.database("life")
    user = int(base.value("SELECT user_id FROM public.assistants ORDER BY id LIMIT 1"))
    for variant in ("naive", "optimised"):
        hanging_up(base, variant, user)
        too_long(base, variant, user)
        too_many(base, variant, user)
        our_fault(base, variant, user)
    health(base, user)
    metrics(base, user)
    headers(base, user)
    apitest.done()


if __name__ == "__main__":
    main()
