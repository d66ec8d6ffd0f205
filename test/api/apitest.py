"""What the tests of replyx-api share: TAP, a database with rows, the program itself, requests, what the server counted.

The environment names the programs: REPLYX_API, REPLYX_DATA, PGMEND; and a server: PGHOST, PGPORT, PGUSER.
From a shell: apitest.py create NAME | drop NAME | url NAME | token USER SECRET_FILE
"""
import atexit
import base64
import contextlib
import fcntl
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(os.environ.get("PGMEND_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
ALEMBIC = ["/usr/bin/python3", "/usr/bin/alembic"] if os.path.exists("/usr/bin/alembic") else ["alembic"]
ROLE = "replyx_api"
NOW = "2026-11-22T10:00:00Z"  # of the rows, and of the servers that are started here
SEED = "1"
DEADLINE_S = 60  # for what must happen at all: never a measure of speed
SECRET = "a secret of the tests, which is long enough"

for unwanted in ("DATABASE_URL", "PGDATABASE", "PGOPTIONS", "PGSERVICE", "PGAPPNAME", "PGPASSWORD", "PGMEND_CONFIG"):
    os.environ.pop(unwanted, None)
for unwanted in [name for name in os.environ if name.startswith("REPLYX_API_")]:
    del os.environ[unwanted]


# -- TAP ----------------------------------------------------------------------------------------


class Tap:
    number = 0
    failed = 0


def check(good, name, found=""):
    """One line of TAP; found is shown when it is not good."""
    Tap.number += 1
    Tap.failed += not good
    print(f"{'ok' if good else 'not ok'} {Tap.number} - {name}", flush=True)
    if not good:
        print("# " + str(found)[:4000].replace("\n", "\n# "), flush=True)
    return bool(good)


def same(found, expected, name):
    return check(found == expected, name, f"expected: {expected!r}\n   found: {found!r}")


def skip_all(reason):
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


def bail(reason):
    print("Bail out! " + reason.replace("\n", " "), flush=True)
    sys.exit(1)


def done():
    print(f"1..{Tap.number}", flush=True)
    sys.exit(1 if Tap.failed else 0)


def wait_until(what, holds, deadline_s=DEADLINE_S):
    """Until holds() gives something true, which is returned; without it the test ends."""
    end = time.monotonic() + deadline_s
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            check(False, f"it came to this: {what}")
            bail("what the test waits for does not happen: " + what)
        time.sleep(0.02)


def program(variable):
    path = os.environ.get(variable)
    if not path:
        bail(f"{variable} is not set: run the tests by script/test or meson test")
    return path


# -- the database -------------------------------------------------------------------------------


def run(argv, stdin="", **more):
    """What a command prints; the test ends when it fails."""
    result = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, **more)
    if result.returncode != 0:
        bail(f"{argv[0]}: {result.stdout[-1000:]} {result.stderr[-2000:]}")
    return result.stdout


def psql(sql, database="postgres", variables=()):
    argv = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]
    return run(argv + [f"--set={name}={value}" for name, value in variables], stdin=sql).rstrip("\n")


class Database:
    """One of the test's own, which is dropped at its end."""

    def __init__(self, name, env=None):
        self.name = name
        self.env = env  # of another server than the common one
        self.role = ROLE

    def sql(self, sql):
        """The rows as text, columns separated by "|"."""
        argv = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.name]
        return run(argv, stdin=sql, env=self.env).rstrip("\n")

    def value(self, sql):
        return self.sql(sql)

    def rows(self, query):
        """The rows of a query as dicts; times are as row_to_json() writes them."""
        text = self.sql(f"SELECT pg_catalog.row_to_json(r)::text FROM ({query}) AS r")
        return [json.loads(line) for line in text.split("\n") if line]

    def url(self, role=None):
        env = self.env or os.environ
        return (f"postgresql:///{self.name}?host={env['PGHOST']}&port={env.get('PGPORT', '5432')}"
                f"&user={role or self.role}")

    def drop(self):
        subprocess.run(["psql", "-Xq", "-d", "postgres", "-c", "SET client_min_messages = warning",
                        "-c", f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)'],
                       env=self.env, capture_output=True, check=False)


def ingredients():
    """A hash of all that the template is made of, so that an old one is not taken for a new one."""
    digest = hashlib.sha256(f"{SEED} {NOW} 2".encode())
    files = [*ROOT.glob("replyx/migrations/versions/*.py"), *ROOT.glob("replyx/api/*"), *ROOT.glob("replyx/data/*.[ch]"),
             *ROOT.glob("src/vector/**/*"), *ROOT.glob("replyx/indexes/critical.sql")]
    for path in sorted(path for path in files if path.is_file()):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def fill(name, env=None):
    """Revisions, rows, indexes, search functions and what the API needs, in an empty database."""
    env = {**(env or os.environ), "PGDATABASE": name, "PGMEND_NO_INPUT": "1", "LC_ALL": "C.UTF-8"}
    run([*ALEMBIC, "-c", str(ROOT / "replyx/alembic.ini"), "upgrade", "head"], env=env)
    run([program("REPLYX_DATA"), "--scale", "tiny", "--seed", SEED, "--now", NOW, "--fast", "--quiet"], env=env)
    critical = (ROOT / "replyx/indexes/critical.sql").read_text().replace("CONCURRENTLY ", "")
    with tempfile.TemporaryDirectory() as state:
        functions = run([program("PGMEND"), "--state-dir", state, "vector", "install", "--print"], env=env)
    run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], env=env,
        stdin=f"CREATE EXTENSION IF NOT EXISTS pg_stat_statements;\n{critical}\n{functions}\nANALYZE;\n")
    run([str(ROOT / "replyx/api/install")], env=env)


def template():
    """The name of the database that all tests' are copies of; made by whoever comes first."""
    name = f"pgmend_test_api_{ingredients()}"
    place = hashlib.sha256(f"{os.environ.get('PGHOST')} {os.environ.get('PGPORT')}".encode()).hexdigest()[:12]
    with open(f"{tempfile.gettempdir()}/pgmend-test-api-{os.getuid()}-{place}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if psql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            return name
        old = psql(r"SELECT datname FROM pg_database WHERE datname ~ '^pgmend_test_api_[0-9a-f]{12}(_new)?$'")
        for other in old.split():
            subprocess.run(["psql", "-Xq", "-d", "postgres", "-c", f"DROP DATABASE {other}"], capture_output=True,
                           check=False)
        psql(f"CREATE DATABASE {name}_new TEMPLATE template0 ENCODING 'UTF8'")
        fill(name + "_new")
        psql(f"ALTER DATABASE {name}_new ALLOW_CONNECTIONS false; ALTER DATABASE {name}_new RENAME TO {name}")
    return name


def database(suffix):
    """A copy of the template for this test alone."""
    found = Database(f"pgmend_test_{suffix}_{os.getpid()}")
    create(found.name)
    atexit.register(found.drop)
    return found


def create(name):
    psql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    psql(f'CREATE DATABASE "{name}" TEMPLATE {template()}')


# -- tokens -------------------------------------------------------------------------------------


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(user, secret=SECRET, life_s=3600, header=None, **claims):
    """A JWT as POST /login gives it (RFC 7515, HS256), or one that is wrong in some way."""
    now = int(time.time())
    parts = [header or {"alg": "HS256", "typ": "JWT"}, {"sub": str(user), "iat": now, "exp": now + life_s, **claims}]
    signed = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return signed + "." + base64url(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())


def hook_token(secret, bot):
    """What setWebhook of a bot is given as secret_token."""
    return hmac.new(secret.encode(), f"telegram:{bot}".encode(), hashlib.sha256).hexdigest()


@contextlib.contextmanager
def secret_file(secret):
    """The path of a file that nobody else may read."""
    with tempfile.NamedTemporaryFile("w", prefix="replyx-api-secret-") as file:
        file.write(secret)
        file.flush()
        yield file.name


# -- the program --------------------------------------------------------------------------------


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def header(self, name, standard=None):
        return self.headers.get(name.lower(), standard)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:600]!r}"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """replyx-api on a free port. variant: always this one; None: as the flags say."""

    def __init__(self, base, variant=None, options=(), env=None, is_trusting=False, wait=True):
        self.base = base
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="replyx-api-"))
        self.local = threading.local()
        (self.folder / "secret").write_text(SECRET)
        os.chmod(self.folder / "secret", 0o600)
        argv = [program("REPLYX_API"), "--listen", f"127.0.0.1:{self.port}", "--db-url", base.url(), "--now", NOW,
                "--jwt-secret-file", str(self.folder / "secret"), *options]
        argv += ["--trust-user-header"] if is_trusting else []
        argv += ["--ignore-flags", "--variant", variant] if variant else []
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
                                        env={**os.environ, **(env or {})})
        atexit.register(self.stop)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        def is_ready():
            if self.process.poll() is not None:
                bail(f"replyx-api ended with status {self.process.returncode}: {self.logged()[-3000:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.request("GET", "/health/ready").status == 200
            return False
        wait_until("replyx-api is ready", is_ready)

    def logged(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def connection(self):
        if getattr(self.local, "connection", None) is None:
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        return self.local.connection

    def close(self):
        """The calling thread's connection."""
        if getattr(self.local, "connection", None) is not None:
            self.local.connection.close()
        self.local.connection = None

    def request(self, method, path, user=None, body=None, headers=None, bearer=None):
        """One request on the thread's connection, which is kept; user: signed in as this one."""
        given = dict(headers or {})
        if user is not None and bearer is None:
            bearer = self.token(user)
        if bearer is not None:
            given["Authorization"] = "Bearer " + bearer
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            given.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        for attempt in (1, 2):
            connection = self.connection()
            is_new = connection.sock is None
            try:
                connection.request(method, path, body=body, headers=given)
                answer = connection.getresponse()
                found = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
                if answer.will_close:
                    self.close()
                return found
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A kept connection may have been closed meanwhile; a new one may not.
                self.close()
                if is_new or attempt == 2:
                    raise
            except BaseException:
                self.close()
                raise
        raise AssertionError

    def token(self, user):
        cache = self.__dict__.setdefault("tokens", {})
        if user not in cache:
            cache[user] = token(user)
        return cache[user]

    def get(self, path, user=None, **more):
        return self.request("GET", path, user, **more)

    def post(self, path, body, user=None, **more):
        return self.request("POST", path, user, body, **more)

    def get_often(self, path, user):
        """A GET without the comforts of http.client, which take more time than the request: for thousands of them."""
        stream = getattr(self.local, "stream", None)
        if stream is None:
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = self.local.stream = connection.makefile("rwb")
        stream.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token(user)}\r\n\r\n".encode())
        stream.flush()
        status = int(stream.readline().split()[1])
        headers = {}
        while (line := stream.readline()) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Answer(status, headers, stream.read(int(headers["content-length"])))

    def raw(self, data, timeout_s=DEADLINE_S, is_half_closed=False):
        """Sends bytes on a connection of their own; all that comes back until the server closes it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as client:
            found = b""
            with contextlib.suppress(OSError):
                client.sendall(data)
                if is_half_closed:
                    client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while True:
                    got = client.recv(65536)
                    if not got:
                        break
                    found += got
            return found

    def metrics(self):
        """{"replyx_requests_total{route=…}": 17.0}"""
        found = {}
        for line in self.get("/metrics").body.decode().split("\n"):
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found

    def stop(self, sent=signal.SIGTERM):
        """Ends it, at the latest by SIGKILL; its exit status."""
        self.close()
        if self.process.poll() is None:
            self.process.send_signal(sent)
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self.log.closed:
            self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.process.returncode


def parse_answers(data):
    """The answers that came on a raw connection: [(status, headers, body)]; what cannot be read ends the list."""
    found = []
    while data:
        head, between, rest = data.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        if not between or not match:
            break
        headers = {}
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
        if match[1] == b"100":
            data = rest  # an interim answer, which may come at any time (RFC 9110, 15.2)
            continue
        length = int(headers.get("content-length", "0"))
        found.append(Answer(int(match[1]), headers, rest[:length]))
        data = rest[length:]
    return found


# -- what the server counted --------------------------------------------------------------------


class Statements:
    """Calls by text that role replyx_api has made in a database (pg_stat_statements)."""

    def __init__(self, base):
        self.base = base

    def reset(self):
        self.base.sql("SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()")

    def calls(self):
        text = self.base.sql(
            "SELECT pg_catalog.json_build_array(s.query, sum(s.calls))::text FROM pg_stat_statements AS s"
            " JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid"
            f" WHERE d.datname = current_database() AND r.rolname = '{ROLE}' AND s.toplevel GROUP BY s.query")
        return {query: int(calls) for query, calls in (json.loads(line) for line in text.split("\n") if line)}


def end_by_signal(number, _):
    sys.exit(128 + number)  # so that what was registered is done


signal.signal(signal.SIGTERM, end_by_signal)
signal.signal(signal.SIGINT, end_by_signal)


def main(argv):
    if len(argv) == 3 and argv[1] == "create":
        create(argv[2])
    elif len(argv) == 3 and argv[1] == "drop":
        Database(argv[2]).drop()
    elif len(argv) == 3 and argv[1] == "url":
        print(Database(argv[2]).url())
    elif len(argv) == 4 and argv[1] == "token":
        print(token(int(argv[2]), pathlib.Path(argv[3]).read_text(encoding="utf-8").strip()))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
