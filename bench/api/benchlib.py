"""What the benchmarks of replyx-api share: a private server with the application's rows, and programs beside it."""
import contextlib
import os
import pathlib
import shlex
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"
DATABASE = "replyx"
PLACES = {"api": ("src/replyx/replyx-api", "replyx-api"), "data": ("replyx/data/replyx-data", "replyx-data"),
          "pgmend": ("src/pgmend", "pgmend")}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def psql(sql):
    done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", DATABASE], input=sql, check=True,
                          stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def find_programs(args, names):
    """Puts the paths of what was built into args, or ends."""
    for name in names:
        found = [args.build / place for place in PLACES[name] if (args.build / place).is_file()]
        if not found:
            sys.exit(f"{args.build} holds no {PLACES[name][-1]}: run script/setup first, or give --build")
        setattr(args, name, str(found[0].resolve()))


SETTINGS = {"max_connections": "400", "shared_buffers": "512MB", "jit": "off", "max_wal_size": "2GB",
            "max_parallel_workers_per_gather": "0"}


def start_cluster(folder, settings=None, is_scratch=True):
    """A private server, which the environment names from then on."""
    options = [part for name, value in {**SETTINGS, **(settings or {})}.items() for part in ("--set", f"{name}={value}")]
    done = subprocess.run([ROOT / "script/cluster", "start", folder, *(["--scratch"] if is_scratch else []), *options],
                          check=True, stdout=subprocess.PIPE, text=True)
    for pair in shlex.split(done.stdout.replace("export", "")):
        name, value = pair.split("=", 1)
        os.environ[name] = value
    os.environ["PGDATABASE"] = DATABASE


def fill(args):
    """Revisions, rows, indexes and what the API needs, unless the database is there."""
    found = subprocess.run(["psql", "-qXAt", "-d", "postgres", "-c",
                            f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"],
                           check=True, stdout=subprocess.PIPE, text=True)
    if found.stdout.strip():
        return
    say("making the database")
    subprocess.run(["createdb", "-T", "template0", "-E", "UTF8", DATABASE], check=True)
    try:
        fill_new(args)
    except BaseException:
        # Half of it would be taken for all of it next time.
        subprocess.run(["dropdb", "--force", DATABASE], check=False)
        raise


def fill_new(args):
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([PYTHON, "/usr/bin/alembic", "-c", ROOT / "replyx/alembic.ini", "upgrade", "head"], **quiet,
                   stderr=subprocess.DEVNULL)
    subprocess.run([args.data, "--scale", args.scale, "--fast", "--quiet"], **quiet)
    functions = subprocess.run([args.pgmend, "vector", "install", "--print"], check=True, stdout=subprocess.PIPE,
                               text=True).stdout
    indexes = (ROOT / "replyx/indexes/critical.sql").read_text(encoding="utf-8").replace("CONCURRENTLY ", "")
    psql(f"SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS pg_stat_statements; {indexes}\n{functions}")
    subprocess.run([ROOT / "replyx/api/install"], check=True)
    psql("VACUUM (ANALYZE)")


class Program:
    """A server with its processes."""

    def __init__(self, name, port, argv, log, env=None):
        self.name, self.port = name, port
        self.log = log
        with log.open("wb") as out:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(argv, stdout=out, stderr=out, env={**os.environ, **(env or {})},
                                            cwd=ROOT / "bench/api/peers")

    def wait(self, path, one):
        end = time.monotonic() + 60
        while True:
            try:
                return get(self.port, path, one)
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    sys.exit(f"{self.name} does not answer: {error}\n{self.log.read_text(errors='replace')[-3000:]}")
                time.sleep(0.1)

    def pids(self):
        return family(self.process.pid)

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def get(port, path, one):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {one}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def family(pid):
    """The process and all below it."""
    found, queue = [], [pid]
    while queue:
        one = queue.pop()
        found.append(one)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{one}/task"):
                children = pathlib.Path(f"/proc/{one}/task/{task}/children").read_text(encoding="ascii")
                queue += [int(child) for child in children.split()]
    return found


def postmaster(folder):
    place = dict(line.split("=", 1) for line in (folder / "place").read_text(encoding="utf-8").splitlines())
    return int((pathlib.Path(place["home"]) / "data/postmaster.pid").read_text(encoding="ascii").split()[0])
