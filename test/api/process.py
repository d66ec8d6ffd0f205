#!/usr/bin/env python3
"""replyx-api as processes: take-over, reload, drain, a worker that dies or is stuck, EMFILE, what systemd is told.

What needs no database has none, and asks for /health/live. Load runs while the program is replaced.
"""
import atexit
import contextlib
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from apitest import DEADLINE_S, NOW, bail, check, database, done, free_port, program, psql, same, wait_until

NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"
GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="pgmend-test-process-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def children_of(pid):
    with contextlib.suppress(OSError):
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


class Program:
    """replyx-api with everything that it starts; ended when the test ends."""

    number = 0

    def __init__(self, *options, url=NO_DATABASE, config="", port=None, env=None, before=(), wait=True):
        Program.number += 1
        self.port = port or free_port()
        self.log_path = FOLDER / f"log{Program.number}"
        self.config = FOLDER / f"config{Program.number}.ini"
        self.configure(url, config)
        self.log = open(self.log_path, "wb")
        self.argv = [program("REPLYX_API"), "--config", str(self.config), "--listen", f"127.0.0.1:{self.port}",
                     "--trust-user-header", "--now", NOW, *options]
        self.process = subprocess.Popen([*before, *self.argv], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, env={**os.environ, **(env or {})},
                                        pass_fds=(3,) if env and "LISTEN_FDS" in env else ())
        self.pid = self.process.pid
        atexit.register(self.kill)
        if wait:
            self.wait_log("listening on http://")

    def configure(self, url, config=""):
        self.config.write_text(f"[replyx-api]\ndb_url = {url}\n{config}")
        self.config.chmod(0o600)

    def logged(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def wait_log(self, text, count=1):
        def is_there():
            if self.logged().count(text) < count and self.process.poll() not in (None, 0):
                bail(f"replyx-api ended with status {self.process.returncode}: {self.logged()[-2000:]}")
            return self.logged().count(text) >= count
        try:
            wait_until(f"the log says {text!r}", is_there)
        except SystemExit:
            print("# " + self.logged()[-3000:].replace("\n", "\n# "), flush=True)
            raise

    def workers(self, pid=None):
        return children_of(pid or self.pid)

    def dial(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)

    def kill(self):
        for pid in re.findall(r"\(\d+ workers?, process (\d+)\)", self.logged()) + [str(self.pid)]:
            for one in [*children_of(int(pid)), int(pid)]:
                if pathlib.Path(f"/proc/{one}/cmdline").exists() and \
                        b"replyx" in pathlib.Path(f"/proc/{one}/cmdline").read_bytes():
                    with contextlib.suppress(OSError):
                        os.kill(one, signal.SIGCONT)
                        os.kill(one, signal.SIGKILL)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self.log.closed:
            self.log.close()

    def wait_end(self):
        return self.process.wait(DEADLINE_S)


def hear(connection):
    """One answer: (status, headers as bytes, body); None when the connection ended before it."""
    data = b""
    while b"\r\n\r\n" not in data:
        got = connection.recv(65536)
        if not got:
            return None
        data += got
        if data.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            data = data[25:]
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        got = connection.recv(65536)
        if not got:
            return None
        body += got
    return int(head.split()[1]), head, body


def ask(connection, request=GET):
    connection.sendall(request)
    return hear(connection)


class Load:
    """Clients that ask all the time: some keep their connection, with and without pauses, some never do."""

    def __init__(self, port, request=GET):
        self.port = port
        self.request = request
        self.good = 0
        self.failures = []
        self.is_over = False
        self.threads = [threading.Thread(target=self.run, args=(kind,)) for kind in (0, 0, 0.003, 0.03, 0.3, None, None)]
        for thread in self.threads:
            thread.start()

    def run(self, pause):
        connection = None
        while not self.is_over:
            try:
                if connection is None:
                    connection = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)
                answer = ask(connection, self.request)
                if answer is None or answer[0] != 200:
                    self.failures.append(f"pause {pause}: {answer}")
                else:
                    self.good += 1
                if answer is None or pause is None or b"\r\nConnection: close" in answer[1]:
                    connection.close()
                    connection = None
            except OSError as error:
                self.failures.append(f"pause {pause}: {error}")
                connection = None
            time.sleep(pause or 0.001)  # a client's pace, no proof
        if connection:
            connection.close()

    def wait_more(self, count):
        target = self.good + count
        wait_until("more requests are answered", lambda: self.good >= target or self.failures)

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()
        return self.failures


class Systemd:
    """Hears what a service tells about itself."""

    def __init__(self):
        self.path = str(FOLDER / f"notify{Program.number}")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.said = []
        self.fed = 0

    def hear_more(self, within_s):
        """Whether it said anything within this time."""
        self.socket.settimeout(within_s)
        try:
            data, fds, _, _ = socket.recv_fds(self.socket, 4096, 4)
        except TimeoutError:
            return False
        for fd in fds:
            os.close(fd)  # of a barrier, which ends with this
        for line in data.decode().split("\n"):
            if line == "WATCHDOG=1":
                self.fed += 1
            else:
                self.said.append(line)
        return True

    def wait(self, line):
        wait_until(f"systemd is told {line}", lambda: self.hear_more(0.2) and line in self.said or line in self.said)

    def wait_fed(self):
        before = self.fed
        wait_until("the watchdog is fed", lambda: self.hear_more(0.2) and self.fed > before)


def run_once(*argv, env=None):
    return subprocess.run([program("REPLYX_API"), *argv], capture_output=True, text=True, check=False,
                          timeout=DEADLINE_S, env={**os.environ, **(env or {})})


# -- options ------------------------------------------------------------------------------------


def options():
    found = run_once("--help")
    check(found.returncode == 0 and "--listen" in found.stdout and "127.0.0.1:8000" in found.stdout
          and not found.stderr, "--help shows the options on standard output", found)
    same(run_once("--version").stdout.split()[:1], ["replyx-api"], "--version says what it is")
    for argv, status, text in (
            (["--workesr", "2"], 2, 'unknown option "--workesr"'),
            (["what"], 2, 'unknown argument "what"'),
            (["--workers"], 2, "--workers needs a value"),
            (["--workers", "0"], 2, "--workers is 0"),
            (["--workers", "two"], 2, '"two"'),
            (["--listen", "nowhere"], 2, '"nowhere" is not an address'),
            (["--trust-user-header", "--listen", ":0"], 2, "loopback only"),
            (["--config", "/nonexistent.ini"], 2, "/nonexistent.ini")):
        found = run_once(*argv)
        check(found.returncode == status and text in found.stderr and not found.stdout,
              f"{' '.join(argv)} is refused", found)
    wrong = FOLDER / "wrong.ini"
    wrong.write_text("[replyx-api]\nworkers = 1\nnonsense = 1\n")
    found = run_once("--config", str(wrong))
    check(found.returncode == 2 and f'{wrong}:3: unknown setting "nonsense"' in found.stderr,
          "a wrong setting in the file is refused with its line", found)
    found = run_once(env={"REPLYX_API_WORKERS": "many"})
    check(found.returncode == 2 and '"many"' in found.stderr, "variables of the environment are settings", found)
    found = run_once("--workers", "-1", env={"REPLYX_API_WORKERS": "3"})
    check(found.returncode == 2 and "--workers is -1" in found.stderr, "an option wins over a variable", found)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        found = run_once("--listen", f"127.0.0.1:{other.getsockname()[1]}", "--db-url", NO_DATABASE,
                         "--trust-user-header")
        check(found.returncode == 1 and "could not listen" in found.stderr, "a port in use is said", found)


# -- life of the processes ----------------------------------------------------------------------


def take_over_and_reload(base):
    api = Program("--workers", "2", url=base.url(), config="idle_timeout = 60s\n")
    user = base.value("SELECT user_id FROM assistants GROUP BY user_id ORDER BY count(*) DESC, user_id LIMIT 1")
    request = f"GET /assistants/stats HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {user}\r\n\r\n".encode()
    wait_until("the database is there", lambda: ask(api.dial(), request)[0] == 200)
    load = Load(api.port, request)
    load.wait_more(50)
    os.kill(api.pid, signal.SIGHUP)
    api.wait_log("has read its settings")
    load.wait_more(50)
    pids = [api.pid]
    for turn in (1, 2):
        os.kill(pids[-1], signal.SIGUSR2)
        api.wait_log("takes over from process", turn)
        pids.append(int(re.findall(r"process (\d+) is to take over", api.logged())[-1]))
        wait_until("the old processes are gone", lambda: not is_alive(pids[-2]))
        load.wait_more(50)
    same(api.process.wait(DEADLINE_S), 0, "who was replaced ends with 0")
    check(len(set(pids)) == 3, "each program was another process", pids)
    same(len(api.workers(pids[-1])), 2, "the last one has its workers")

    # What cannot start does not take over, and nobody notices.
    api.configure(base.url(), "nonsense = 1\n")
    os.kill(pids[-1], signal.SIGUSR2)
    api.wait_log("could not take over")
    os.kill(pids[-1], signal.SIGHUP)
    api.wait_log("goes on with the settings before")
    api.configure(NO_DATABASE)
    os.kill(pids[-1], signal.SIGUSR2)
    api.wait_log("could not take over", 2)
    check("no database answers" in api.logged(), "without a database nobody takes over")
    load.wait_more(50)
    same(load.end(), [], f"of {load.good} requests none failed meanwhile")
    os.kill(pids[-1], signal.SIGTERM)
    wait_until("the last one ends", lambda: not is_alive(pids[-1]))
    api.kill()


def said(*options, env=None):
    """(exit status, standard error) of a program that does not start."""
    found = subprocess.run([program("REPLYX_API"), *options], capture_output=True, text=True, check=False,
                           timeout=DEADLINE_S, env={**os.environ, **(env or {})})
    return found.returncode, found.stderr


def settings_that_are_wrong():
    """Each is refused before a socket is opened, with status 2."""
    for options, text in (
            (["--variant", "fast"], 'no endpoint has a variant "fast"'),
            (["--now", "yesterday"], '--now "yesterday" is no time'),
            (["--embedding-url", "foo"], "--embedding-url is no URL"),
            (["--embedding-url", "ftp://x/y"], "--embedding-url is no URL"),
            (["--embedding-url", "file:///etc/passwd"], "--embedding-url is no URL"),
            (["--embedding-url", "http://"], "--embedding-url is no URL"),
            (["--db-url", "postgresql://u:p@h:99999/x"], '"99999" is no port'),
            (["--jwt-secret-file", str(FOLDER / "none")], "reading the secret of the tokens"),
            (["--webhook-secret-file", str(FOLDER / "none")], "reading the secret of webhooks"),
            (["--embedding-key-file", str(FOLDER / "none")], "reading the key of the embedding service")):
        status, found = said("--listen", "127.0.0.1:1", *options)
        check(status == 2 and text in found and found.startswith("replyx-api: "), f"{' '.join(options[:2])} is refused",
              (status, found))
    twice = FOLDER / "twice.ini"
    twice.write_text("[replyx-api]\ndb_url = postgresql://a@h/x\ndb_url = postgresql://b@h/x\npool_size = 3\n"
                     "pool_size = 4\n")
    twice.chmod(0o600)
    status, found = said("--config", str(twice))
    check(status == 2 and f'{twice}:5: "pool_size" is set a second time' in found,
          "a setting stands in the file once, unless it is a list", (status, found))
    api = Program(env={"REPLYX_API_POOLSIZE": "3"})
    check('variable REPLYX_API_POOLSIZE is no setting. Did you mean "pool-size"?' in api.logged(),
          "a variable that is no setting is told", api.logged())
    api.kill()


def sessions(base, text):
    return int(base.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                          f" AND application_name LIKE '{text}%'"))


def settings_in_force(base):
    """A worker that is started again has what the others have, whatever stands in the file."""
    api = Program("--workers", "2", url=base.url(), config="pool_size = 3\nidle_timeout = 60s\n")
    before = wait_until("both workers run", lambda: len(api.workers()) == 2 and api.workers())
    wait_until("both have asked the database", lambda: sessions(base, "replyx-api/web") >= 2)
    for count, size in ((1, 4), (2, 5)):
        api.configure(NO_DATABASE, f"pool_size = {size}\nidle_timeout = 61s\n")
        os.kill(api.pid, signal.SIGHUP)
        api.wait_log("needs a take-over (SIGUSR2) to change: db_url, pool_size, idle_timeout", count)
        api.wait_log("has read its settings", count)
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    wait_until("there are two others", lambda: len(api.workers()) == 2 and not set(before) & set(api.workers()))
    wait_until("both have asked the database that is in force", lambda: sessions(base, "replyx-api/web") >= 2)
    request = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for _ in range(6):
        same(ask(api.dial(), request)[0], 200, "a new worker has the database that is in force")
    check("cannot be reached" not in api.logged(), "none has tried the other one", api.logged())
    api.kill()


def database_told():
    """A database that is out of reach is told once by each worker, and requests do not fill the log."""
    api = Program()
    api.wait_log("cannot be reached: could not connect: ")
    request = b"GET /assistants HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer 1\r\n\r\n"
    other = b"GET /balance HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer 1\r\n\r\n"
    connection = api.dial()
    began = time.monotonic()
    status, _, body = ask(connection, request)
    waited = time.monotonic() - began
    same(status, 503, "a request is refused")
    check(waited < 20, "and not only after the whole pool_timeout", waited)
    check(b'"kind":"connection"' in body and b"hint" not in body and b"--db-url" not in body,
          "clients are not told what operators have to do", body)
    statuses = [ask(connection, one)[0] for _ in range(50) for one in (request, other)]
    same(set(statuses), {503}, "all that follow are refused, too")
    lines = [line for line in api.logged().splitlines() if "could not connect" in line]
    same(len(lines), 2, "the log has one line of the database, and one of the requests")
    status, _, body = ask(api.dial(), b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check(status == 503 and b'"status":"no database"' in body and b'"up":true' not in body, "it is not ready", body)
    api.kill()


def database_mute():
    """Something takes connections and says nothing: nobody waits for it as long as for a free connection."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        api = Program("--pool-timeout", "100s", "--request-limit", "100s",
                      url=f"postgresql://nobody@127.0.0.1:{mute.getsockname()[1]}/none?connect_timeout=90")
        began = time.monotonic()
        status, _, body = ask(api.dial(), b"GET /assistants HTTP/1.1\r\nHost: localhost\r\n"
                                          b"Authorization: Bearer 1\r\n\r\n")
        waited = time.monotonic() - began
        check(status == 503 and b'"kind":"connection"' in body and waited < 60,
              f"a mute server is given up after {waited:.0f} s", (waited, body))
        status, _, body = ask(api.dial(), b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(status == 503 and b'"up":false' in body, "a server that has never answered is not up", body)
        api.kill()


def database_full(base):
    """Not one connection is to be had: that is the database's trouble, and no crowd of requests."""
    base.sql(f'ALTER DATABASE "{base.name}" CONNECTION LIMIT 0')
    try:
        api = Program(url=base.url())
        api.wait_log("cannot be reached: could not connect: ")
        check("too many connections for database" in api.logged() and "No connection is left" in api.logged(),
              "the log has the server's words, and what to do", api.logged())
        connection = api.dial()
        status, _, body = ask(connection, b"GET /assistants HTTP/1.1\r\nHost: localhost\r\n"
                                          b"Authorization: Bearer 1\r\n\r\n")
        check(status == 503 and b'"kind":"connection"' in body and b"too many" not in body,
              "one request is told that the database is out of reach", body)
    finally:
        psql(f'ALTER DATABASE "{base.name}" CONNECTION LIMIT -1')
    api.wait_log("answers again")
    request = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
    same(ask(connection, request)[0], 200, "it is ready when connections are to be had")
    api.kill()


def database_not_set_up(base):
    """A database without the API's part is no database that the program could answer from."""
    api = Program(url=base.url(role=os.environ["PGUSER"]))
    api.wait_log("row-level security does not hold for role")
    check("it is a superuser" in api.logged(), "a superuser is told of what does not hold for it", api.logged())
    request = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
    same(ask(api.dial(), request)[0], 200, "it is ready all the same")
    api.kill()
    base.sql("ALTER FUNCTION replyx_api.login_user(text) RENAME TO login_user_away")
    api = Program(url=base.url())
    api.wait_log("the database is not set up: there is no function replyx_api.login_user")
    status, _, body = ask(api.dial(), request)
    check(status == 503 and b'"status":"not set up"' in body, "it is not ready", body)
    base.sql("ALTER FUNCTION replyx_api.login_user_away(text) RENAME TO login_user")
    api.wait_log("the database is set up now")
    same(ask(api.dial(), request)[0], 200, "it is when the function is there")
    check("superuser" not in api.logged() and "row-level" not in api.logged(), "replyx_api is bound", api.logged())
    api.wait_log("the flags cannot be read, so all users get the first variant of everything")
    subprocess.run([program("PGMEND"), "flags", "set", "--grant", "replyx_api", "--db-url", base.url(os.environ["PGUSER"])],
                   check=True, capture_output=True, env={**os.environ, "PGMEND_NO_INPUT": "1"})
    api.wait_log("the flags can be read")
    check(api.logged().count("the flags cannot be read") == 1, "each is told once", api.logged())
    api.kill()


def drain():
    api = Program()
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    slow, idle, last = api.dial(), api.dial(), api.dial()
    for connection in (idle, last):
        same(ask(connection)[0], 200, "a connection is kept")
    slow.sendall(head + b'{"email":')
    # That it has read this much is certain when it has answered what came later.
    same(ask(idle)[0], 200, "others are answered meanwhile")
    os.kill(api.pid, signal.SIGTERM)
    api.wait_log("answers what is under way")
    status, found, _ = ask(last)
    check(status == 200 and b"\r\nConnection: close" in found, "a kept connection is told that it ends", found)

    def is_refused():
        try:
            api.dial().close()
        except OSError:
            return True
        return False

    wait_until("nobody is let in any more", is_refused)
    check(api.process.poll() is None, "it waits for the request under way")
    slow.sendall(b' "a@b.c", x')
    answer = hear(slow)
    check(answer is not None and b"\r\nConnection: close" in answer[1], "the request under way is answered", answer)
    same(idle.recv(1), b"", "an idle connection is closed in the end")
    same(api.wait_end(), 0, "the exit status is 0")
    api.kill()

    api = Program()
    slow = api.dial()
    slow.sendall(head)
    same(ask(api.dial())[0], 200, "others are answered")
    workers = api.workers()
    os.kill(api.pid, signal.SIGTERM)
    api.wait_log("answers what is under way")
    check(api.process.poll() is None, "it waits again")
    os.kill(api.pid, signal.SIGTERM)
    same(api.wait_end(), 128 + signal.SIGTERM, "a second signal ends it at once")
    wait_until("the worker is gone", lambda: not any(map(is_alive, workers)))
    api.kill()


def dead_workers():
    api = Program("--workers", "2")
    first, second = wait_until("both workers run", lambda: len(api.workers()) == 2 and api.workers())
    os.kill(first, signal.SIGKILL)
    api.wait_log("was ended by signal 9")
    same(ask(api.dial())[0], 200, "the other worker answers")
    wait_until("there are two again", lambda: len(api.workers()) == 2 and first not in api.workers())
    os.kill(second, signal.SIGTERM)
    api.wait_log("ended with status 0")
    wait_until("there are two again", lambda: len(api.workers()) == 2 and second not in api.workers())
    same(ask(api.dial())[0], 200, "a worker that was told to end is replaced too")

    # Who dies again and again is started more and more slowly.
    for pause in ("100 ms", "200 ms", "400 ms"):
        victim = wait_until("worker 1 is there", lambda: len(api.workers()) == 2 and max(api.workers()))
        before = api.logged().count("is started again")
        os.kill(victim, signal.SIGKILL)
        wait_until("its end is seen", lambda: api.logged().count("is started again") > before)
    pauses = re.findall(r"worker (\d) .* started again in (\d+ ms)", api.logged())
    slowest = max(int(pause.split()[0]) for _, pause in pauses)
    check(slowest >= 200, "one that dies again and again is started later and later", pauses)

    wait_until("there are two again", lambda: len(api.workers()) == 2)
    workers = api.workers()
    os.kill(api.pid, signal.SIGKILL)
    api.process.wait()
    wait_until("workers without a parent end", lambda: not any(map(is_alive, workers)))
    with contextlib.closing(socket.socket()) as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", api.port))
    check(True, "the port is free when the parent was killed")
    api.kill()


def too_many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    del soft
    if hard < 200:
        bail("the test needs 200 open files")
    api = Program("--most-connections", "1000", before=["prlimit", "--nofile=64:64"])
    check("files may be open" in api.logged(), "a limit that is too low is said at the start", api.logged())
    old = api.dial()
    same(ask(old)[0], 200, "a client is answered")
    crowd = [api.dial() for _ in range(100)]
    for connection in crowd:
        connection.sendall(GET)

    def readable():
        return select.select(crowd, [], [], 0.1)[0]

    wait_until("some are answered", lambda: len(readable()) >= 20)
    answered = readable()
    waiting = [connection for connection in crowd if connection not in answered]
    check(len(waiting) >= 20, "as many are let in as there are descriptors", f"only {len(waiting)} wait")
    same(ask(old)[0], 200, "who was there before is answered")
    worker = api.workers()[0]

    def ticks():
        return sum(map(int, pathlib.Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[11:13]))

    before, began = ticks(), time.monotonic()
    time.sleep(1)
    used = (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)
    check(used < 0.5, "it does not spin while others wait", f"{used:.2f} of a processor")
    for connection in answered:
        connection.close()
    same([hear(connection)[0] for connection in waiting[:20]], [200] * 20, "who waited is answered when there is room")
    same(ask(old)[0], 200, "and who was there before still is")
    api.kill()


def many_idle_connections():
    """10,000 that are kept, each used once: all held, all answered, at most 5 kB of memory each."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    many = min(10000, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    api = Program("--most-connections", str(many + 100), "--idle-timeout", "10m")
    worker = api.workers()[0]
    # Sanitizers keep a shadow of all memory that there could be: terabytes of address space.
    status = pathlib.Path(f"/proc/{worker}/status").read_text()
    is_sanitized = int(re.search(r"VmSize:\s+(\d+)", status)[1]) > 1 << 30

    def memory():
        return int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{worker}/status").read_text())[1]) * 1024

    first = api.dial()
    same(ask(first)[0], 200, "a first client is answered")
    before = memory()
    crowd = [api.dial() for _ in range(many)]
    for connection in crowd:
        connection.sendall(GET)
    good = sum(hear(connection)[0] == 200 for connection in crowd)
    same(good, many, f"{many} connections are answered")
    each = (memory() - before) / many
    check(each <= 5 * 1024 or is_sanitized, "an idle one needs at most 5 kB", f"{each:.0f} bytes")
    same(sum(ask(connection)[0] == 200 for connection in [first, *crowd[::50]]), 1 + len(crowd[::50]),
         "all are kept")
    api.kill()
    for connection in crowd:
        connection.close()


# -- systemd ------------------------------------------------------------------------------------


def systemd(base):
    other = Systemd()
    api = Program("--workers", "2", url=base.url(), env={"NOTIFY_SOCKET": other.path, "WATCHDOG_USEC": "2000000"})
    other.wait("READY=1")
    check(f"MAINPID={api.pid}" in other.said and "STATUS=2 workers answer on 127.0.0.1:%d" % api.port in other.said,
          "systemd is told when it is ready", other.said)
    other.wait_fed()
    worker = api.workers()[0]
    os.kill(worker, signal.SIGSTOP)

    def is_hungry():
        end = time.monotonic() + 1.2  # it is fed twice a second
        before = other.fed
        while time.monotonic() < end:
            other.hear_more(0.1)
        return other.fed == before

    wait_until("the watchdog is not fed while a worker is stuck", is_hungry)
    os.kill(worker, signal.SIGCONT)
    other.wait_fed()
    check(True, "it is fed again when the worker goes on")

    other.said.clear()
    os.kill(api.pid, signal.SIGHUP)
    other.wait("READY=1")
    check(other.said[0] == "RELOADING=1" and other.said[1].startswith("MONOTONIC_USEC="),
          "systemd is told of the reload", other.said)

    other.said.clear()
    os.kill(api.pid, signal.SIGUSR2)
    other.wait("READY=1")
    new = int(re.findall(r"process (\d+) is to take over", api.logged())[-1])
    check(f"MAINPID={new}" in other.said, "systemd is told who took over", other.said)
    wait_until("the old one ends", lambda: other.hear_more(0.05) is None or api.process.poll() is not None)
    check("STOPPING=1" not in other.said, "the old one does not say that the service ends", other.said)
    os.kill(new, signal.SIGTERM)
    other.wait("STOPPING=1")
    check(True, "the new one does")
    wait_until("it ends", lambda: not is_alive(new))
    api.kill()

    unit = pathlib.Path(os.environ.get("PGMEND_SOURCE_DIR", ".")) / "share/systemd/replyx-api.service"
    if shutil.which("systemd-analyze"):
        found = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20",
                                str(unit)], capture_output=True, text=True, check=False, timeout=DEADLINE_S)
        check(found.returncode == 0 and "exposure level" in found.stdout, "the unit is exposed to 2.0 at most",
              found.stdout[-500:] + found.stderr)


def activation(base):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        port = listener.getsockname()[1]
        early = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        early.sendall(GET)
        saved = os.dup(3) if os.path.exists("/proc/self/fd/3") and listener.fileno() != 3 else None
        if listener.fileno() != 3:
            os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        # The variable is for the process that has this number; the shell becomes that process.
        api = Program(port=port, url=base.url(), env={"LISTEN_FDS": "1"}, wait=False,
                      before=["sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"'])
        if saved is not None:
            os.dup2(saved, 3)
            os.close(saved)
        elif listener.fileno() != 3:
            os.close(3)
    same(hear(early)[0], 200, "who came before the program is answered from the socket that was handed over")
    api.wait_log("listening on http://")
    load = Load(port)
    load.wait_more(20)
    os.kill(api.pid, signal.SIGUSR2)
    api.wait_log("takes over from process")
    same(api.wait_end(), 0, "and that socket is handed on")
    load.wait_more(20)
    same(load.end(), [], f"without a failure among {load.good} requests")
    api.kill()

    found = subprocess.run(["sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"', program("REPLYX_API"), "--trust-user-header"],
                           env={**os.environ, "LISTEN_FDS": "1"}, stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, check=False, timeout=DEADLINE_S)
    check(found.returncode != 0 and found.stderr, "a socket that is promised but not there is an error", found)


filled = database("process")
options()
settings_that_are_wrong()
settings_in_force(filled)
database_told()
database_mute()
database_full(filled)
database_not_set_up(filled)
take_over_and_reload(filled)
drain()
dead_workers()
too_many_files()
many_idle_connections()
systemd(filled)
activation(filled)
done()
