"""What replyx-api does when its database fails: backends are killed, the server restarts and crashes, a table is locked; and when
a client goes.

Usage: pool_faults.py      prints TAP

The server is one of the test's own. Nothing is mocked: each fault is seen on the server before anything is concluded from it.
"""
import atexit
import collections
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import apitest
from apitest import check, same, wait_until

CLUSTER = str(apitest.ROOT / "script/cluster")
HOOK_SECRET = "hook-secret-of-the-tests-0123456789"
UPDATES = 40
LEAST_LOST = 10
PATHS = ("/assistants", "/balance", "/bot-instances", "/dialogs", "/assistants/stats")


class OwnServer:
    """A PostgreSQL that may be hurt, with a copy of the template."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pgmend-api-faults-")
        os.chmod(self.folder, 0o755)
        atexit.register(self.remove)
        self.env = {**os.environ}
        self.start()
        self.base = apitest.Database("pgmend_test_api_pool", self.env)
        self.copy()

    def cluster(self, *arguments):
        return apitest.run([CLUSTER, arguments[0], f"{self.folder}/cluster", *arguments[1:]])

    def start(self):
        for line in self.cluster("start", "--scratch").replace("export ", "").split():
            name, _, value = line.partition("=")
            self.env[name] = value

    def stop(self):
        self.cluster("stop")

    def remove(self):
        subprocess.run([CLUSTER, "remove", f"{self.folder}/cluster"], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def copy(self):
        """Schema and rows of the common server's database, without what is big."""
        source = apitest.database("api_pool_source")
        dump = apitest.run(["pg_dump", "-d", source.name, "--exclude-table-data=public.knowledge_embeddings",
                            "--exclude-table-data=public.dialog_messages", "--exclude-table-data=public.message_ratings"])
        source.drop()
        admin = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "postgres"]
        apitest.run(admin, stdin=f"CREATE ROLE {apitest.ROLE} LOGIN; CREATE DATABASE {self.base.name} TEMPLATE template0",
                    env=self.env)
        apitest.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.base.name], stdin=dump, env=self.env)
        apitest.run([str(apitest.ROOT / "replyx/api/install")], env={**self.env, "PGDATABASE": self.base.name})

    def activity(self, condition="true"):
        return int(self.base.sql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{apitest.ROLE}' AND {condition}"))


@contextlib.contextmanager
def locked(own, table):
    """Another session holds the strongest lock on a table."""
    holder = subprocess.Popen(["psql", "-XqAt", "-d", own.base.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=own.env)
    holder.stdin.write(f"BEGIN; LOCK TABLE public.{table}; SELECT 'locked';\n")
    holder.stdin.flush()
    assert holder.stdout.readline().strip() == "locked"
    try:
        yield
    finally:
        holder.stdin.close()
        holder.wait()


class Load:
    """Clients that ask again and again until they are told to stop; every answer is counted."""

    def __init__(self, server, user, clients=6):
        self.server, self.user = server, user
        self.statuses, self.lost, self.odd = collections.Counter(), [], []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(number,), daemon=True) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self, number):
        while not self.stopped.wait(0.01):
            number += 1
            try:
                answer = self.server.get(PATHS[number % len(PATHS)], self.user)
            except (OSError, apitest.http.client.HTTPException) as why:
                self.lost.append(repr(why))
                continue
            self.statuses[answer.status] += 1
            if answer.status >= 400 and ("error" not in answer.json() or (answer.status == 503 and not answer.header("retry-after"))):
                self.odd.append(answer)
        self.server.close()

    def more(self, status, count=50):
        """Until so many more answers have this status."""
        wanted = self.statuses[status] + count
        wait_until(f"answers with {status}", lambda: self.statuses[status] >= wanted)

    def end(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def judge(self, name, statuses):
        same(self.lost, [], f"{name}: every request was answered")
        same(self.odd, [], f"{name}: every failure is an error as JSON, with Retry-After where that helps")
        check(set(self.statuses) <= statuses, f"{name}: nothing but {sorted(statuses)}", self.statuses)
        print(f"# {name}: {dict(self.statuses)}", flush=True)


def gauge(server, name, pool="web"):
    found = [value for key, value in server.metrics().items()
             if key.startswith(f"replyx_pool_{name}{{") and f'pool="{pool}"' in key]
    if not found:
        apitest.bail(f"there is no metric replyx_pool_{name} of pool {pool}")
    return sum(found)


def is_whole(server, own):
    """Nothing is lent out or waits, here and on the server."""
    return (gauge(server, "busy_connections") == 0 and gauge(server, "waiting_requests") == 0
            and own.activity("state IN ('active', 'idle in transaction', 'idle in transaction (aborted)')") == 0)


def becomes_whole(server, own, user, name):
    wait_until(f"{name}: the pool is whole", lambda: is_whole(server, own))
    statuses = collections.Counter(server.get(path, user).status for path in PATHS * 4)
    same(dict(statuses), {200: len(PATHS) * 4}, f"{name}: afterwards the pool is whole and everything is answered")


def killed_backends(own, server, user):
    """Sessions are ended while requests run on them. Reads are sent again, once."""
    load = Load(server, user)
    load.more(200)
    before = gauge(server, "lost_total")
    killed = 0
    for _ in range(15):
        killed += int(own.base.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                                   f" WHERE usename = '{apitest.ROLE}' AND application_name NOT LIKE '%flags%'"))
        load.more(200, 10)
    load.end()
    check(killed >= 15, f"{killed} sessions were ended")
    load.judge("killed backends", {200, 503})
    wait_until("the lost connections are counted", lambda: gauge(server, "lost_total") > before)
    becomes_whole(server, own, user, "killed backends")


@contextlib.contextmanager
def killer(own):
    """Ends whatever session works, ten times a second at odd moments."""
    with subprocess.Popen(["psql", "-XqAt", "-d", own.base.name], stdin=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL,
                          env={**own.env, "PGAPPNAME": "killer"}) as process:
        process.stdin.write(f"""DO $$BEGIN LOOP
            PERFORM pg_stat_clear_snapshot();
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{apitest.ROLE}' AND state <> 'idle';
            PERFORM pg_sleep(0.05 + 0.1 * random());
            END LOOP; END$$;""")
        process.stdin.close()
        try:
            yield
        finally:
            own.base.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'killer'")


def killed_writes(own, user):
    """Webhooks are sent until they are answered with 200, while sessions are ended: each is there once."""
    bot = own.base.rows("SELECT min(id) AS id FROM public.bot_instances WHERE is_active")[0]["id"]
    header = {"X-Telegram-Bot-Api-Secret-Token": apitest.hook_token(HOOK_SECRET, bot)}
    written = ("SELECT count(*), count(DISTINCT m.text) FROM public.dialog_messages AS m"
               " WHERE m.sender = 'user' AND m.text LIKE 'update %'")
    statuses = collections.Counter()
    number = 0

    def send(number):
        message = {"message_id": number, "date": 1795000000, "text": f"update {number}",
                   "chat": {"id": 7, "type": "private", "first_name": "Анна"},
                   "from": {"id": 7, "is_bot": False, "first_name": "Анна"}}
        status = server.post(f"/telegram/webhook/{bot}", {"update_id": number, "message": message}, headers=header).status
        statuses[status] += 1
        return status == 200

    with apitest.secret_file(HOOK_SECRET) as secret:
        server = apitest.Server(own.base, "optimised", ["--webhook-secret-file", secret, "--bot-rate", "1000"])
        with killer(own):
            while number < UPDATES or gauge(server, "lost_total") < LEAST_LOST:
                number += 1
                wait_until("the update is taken", lambda: send(number))
        wait_until("the killer has gone", lambda: own.base.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'killer'") == "0")
        print(f"# killed writes: {gauge(server, 'lost_total'):g} connections lost, {dict(statuses)}", flush=True)
        same(own.base.sql(written), f"{number}|{number}", f"killed writes: {number} updates are there, each once")
        check(set(statuses) <= {200, 503}, "killed writes: nothing but 200 and 503", statuses)
        becomes_whole(server, own, user, "killed writes")
        same(server.stop(), 0, "the server of it ends with status 0")


def restarted_server(own, server, user):
    load = Load(server, user)
    load.more(200)
    own.stop()
    load.more(503)
    same(server.get("/health/live").status, 200, "the server is down: the program lives")
    wait_until("it says that it is not ready", lambda: server.get("/health/ready").status == 503)
    check(True, "the server is down: the program is not ready")
    own.start()
    load.more(200, 200)
    wait_until("it is ready again", lambda: server.get("/health/ready").status == 200)
    check(True, "the server is up: the program is ready, by itself")
    load.end()
    load.judge("restarted server", {200, 503})
    becomes_whole(server, own, user, "restarted server")


def crashed_server(own, server, user):
    """One backend dies by SIGKILL: PostgreSQL ends all of them, and recovers."""
    load = Load(server, user)
    load.more(200)
    started = own.base.sql("SELECT pg_postmaster_start_time()")
    with subprocess.Popen(["psql", "-XqAt", "-d", own.base.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL, env=own.env) as victim:
        victim.stdin.write("SELECT pg_backend_pid();\n")
        victim.stdin.flush()
        os.kill(int(victim.stdout.readline()), signal.SIGKILL)
        with contextlib.suppress(OSError):
            victim.stdin.close()

    def is_back():
        try:
            return subprocess.run(["psql", "-XqAt", "-d", own.base.name, "-c", "SELECT 1"], env=own.env, capture_output=True,
                                  check=False).returncode == 0
        except OSError:
            return False
    wait_until("the server has recovered", is_back)
    load.more(200, 100)
    load.end()
    same(own.base.sql("SELECT pg_postmaster_start_time()"), started, "the server has recovered without being started anew")
    load.judge("crashed server", {200, 503})
    becomes_whole(server, own, user, "crashed server")


def locked_table(own, user):
    """Requests for one table hang; the others go on, and the pool heals."""
    server = apitest.Server(own.base, "optimised", ["--request-limit", "2s", "--pool-size", "3", "--max-overflow", "2",
                                                    "--pool-queue", "10", "--pool-timeout", "1s", "--background-size", "2"])
    statuses = collections.Counter()
    odd = []

    def ask():
        answer = server.get("/dialogs", user)
        statuses[answer.status] += 1
        if answer.status >= 400 and "error" not in answer.json():
            odd.append(answer)
        server.close()

    with locked(own, "dialogs"):
        threads = [threading.Thread(target=ask) for _ in range(40)]
        for thread in threads:
            thread.start()
        wait_until("a request waits for the lock", lambda: own.activity("wait_event_type = 'Lock'") > 0)
        light = collections.Counter(server.get(path, user).status for path in ("/balance", "/bot-instances", "/health/live") * 5)
        for thread in threads:
            thread.join()
        wait_until("no statement waits for the lock any more", lambda: own.activity("wait_event_type = 'Lock'") == 0)
        check(True, "locked table: what took too long is cancelled on the server, while the lock is still held")
    same(dict(light), {200: 15}, "locked table: requests for other tables are answered meanwhile")
    check(set(statuses) <= {503, 504} and sum(statuses.values()) == 40, "locked table: 40 requests end with 503 or 504", statuses)
    check(statuses[504] > 0, "locked table: those that have begun take too long", statuses)
    check(statuses[503] > 0, "locked table: those that find the queue full, or wait too long in it, are refused", statuses)
    same(odd, [], "locked table: errors as JSON")
    check(gauge(server, "refused_total") > 0, "locked table: the pool counts what it refuses")
    becomes_whole(server, own, user, "locked table")
    same(server.stop(), 0, "the server of it ends with status 0")


def gone_client(own, user, variant):
    """The client goes: what runs for it is cancelled, what waits for it is forgotten."""
    server = apitest.Server(own.base, variant, ["--request-limit", "600s", "--pool-size", "2", "--max-overflow", "0",
                                                "--pool-timeout", "500s"])
    request = f"GET /dialogs HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {apitest.token(user)}\r\n\r\n".encode()
    counted = apitest.Statements(own.base)
    counted.reset()
    with locked(own, "dialogs"):
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(6)]
        for client in clients:
            client.sendall(request)
        wait_until("two run and four wait",
                   lambda: own.activity("wait_event_type = 'Lock'") == 2 and gauge(server, "waiting_requests") == 4)
        for client in clients:
            client.close()
        wait_until("nothing runs for those who have gone", lambda: own.activity("wait_event_type = 'Lock'") == 0)
        check(True, f"{variant}: what ran for clients who have gone is cancelled, while the lock is still held")
        wait_until("nothing waits for those who have gone",
                   lambda: gauge(server, "waiting_requests") == 0 and gauge(server, "busy_connections") == 0)
        check(True, f"{variant}: what waited for them is forgotten")
        same(own.activity("state <> 'idle'"), 0, f"{variant}: no session works or holds a transaction")
    ran = [text for text in counted.calls() if "public.dialogs" in text]
    same(ran, [], f"{variant}: nothing of it is run after the lock has gone")
    becomes_whole(server, own, user, f"{variant}, gone clients")
    same(server.stop(), 0, f"{variant}: the server of it ends with status 0")


def no_connections(own, server, user):
    """The role may not connect any more, and its sessions are ended: refused, then answered again by itself."""
    own.base.sql(f"ALTER ROLE {apitest.ROLE} CONNECTION LIMIT 0")
    own.base.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{apitest.ROLE}'")
    wait_until("there is no connection", lambda: own.activity() == 0)
    load = Load(server, user)
    load.more(503, 6)
    own.base.sql(f"ALTER ROLE {apitest.ROLE} CONNECTION LIMIT -1")
    load.more(200)
    load.end()
    load.judge("no connection to be had", {200, 503})
    becomes_whole(server, own, user, "no connection to be had")


def main():
    own = OwnServer()
    user = own.base.rows("SELECT user_id FROM public.assistants GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")[0]["user_id"]
    server = apitest.Server(own.base, "optimised", ["--request-limit", "10s", "--pool-timeout", "2s"])
    for fault in (killed_backends, restarted_server, crashed_server, no_connections):
        began = time.monotonic()
        fault(own, server, user)
        print(f"# {fault.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    same(server.process.poll(), None, "the program has lived through all of it")
    same(server.stop(), 0, "and ends with status 0")
    killed_writes(own, user)
    locked_table(own, user)
    for variant in ("naive", "optimised"):
        gone_client(own, user, variant)
    apitest.done()


if __name__ == "__main__":
    main()
