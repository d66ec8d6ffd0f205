"""What the tests of N+1 share beside apitest.py: the trace in front of a server, the twin, findings.

The environment names the programs: PGMEND, REPLYX_API, REPLYX_DATA; and a server: PGHOST, PGPORT, PGUSER.
"""
import atexit
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

import apitest  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


def pgmend(*arguments, state=None, may_fail=False, **more):
    """(what it says on standard output, on standard error, its exit status)"""
    with tempfile.TemporaryDirectory(prefix="pgmend-nplus1-") as folder:
        argv = [apitest.program("PGMEND"), "--state-dir", state or folder, "--no-input", *map(str, arguments)]
        found = subprocess.run(argv, capture_output=True, text=True, timeout=apitest.DEADLINE_S * 2, check=False, **more)
    if found.returncode != 0 and not may_fail:
        apitest.bail(f"{' '.join(argv)}: status {found.returncode}: {found.stdout[-1500:]} {found.stderr[-1500:]}")
    return found.stdout, found.stderr, found.returncode


def findings_of(*arguments):
    """The findings of "queries nplusone", and all that it says."""
    whole = json.loads(pgmend("queries", "nplusone", *arguments, "--json")[0])
    return whole["findings"], whole


class Trace:
    """"pgmend queries trace" on a free port in front of the server of a database; file is there after stop()."""

    def __init__(self, url, *options, is_kept=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pgmend-trace-"))
        self.file = self.folder / "trace.jsonl"
        self.port = apitest.free_port()
        self.out = open(self.folder / "out", "wb")
        argv = [apitest.program("PGMEND"), "--state-dir", str(self.folder), "--no-input", "queries", "trace",
                "--listen", f"127.0.0.1:{self.port}", "--db-url", url, "--output", str(self.file), *options]
        argv += ["--keep-values"] if is_kept else []
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT)
        atexit.register(self.end)
        apitest.wait_until("the proxy takes connections", self.is_ready)

    def is_ready(self):
        if self.process.poll() is not None:
            apitest.bail(f"queries trace ended with status {self.process.returncode}: {self.said()}")
        import socket
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def said(self):
        return (self.folder / "out").read_text(encoding="utf-8", errors="replace")

    def stop(self):
        """Ends it in order; what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(apitest.DEADLINE_S)
        self.out.close()
        return self.said()

    def end(self):
        import shutil
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Twin:
    """twin.py on a free port."""

    def __init__(self, url, is_tagged=False):
        self.port = apitest.free_port()
        self.log = tempfile.TemporaryFile()
        env = {**os.environ, "TWIN_URL": url, "TWIN_NOW": apitest.NOW, "TWIN_TAGS": "1" if is_tagged else ""}
        self.process = subprocess.Popen(["/usr/bin/python3", str(HERE / "twin.py"), str(self.port)], env=env,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        atexit.register(self.stop)
        apitest.wait_until("the twin answers", self.is_ready)

    def is_ready(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            apitest.bail("the twin ended: " + self.log.read().decode(errors="replace")[-2000:])
        with contextlib.suppress(OSError):
            return self.get("/health", 0) is not None
        return False

    def get(self, path, user):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"X-User": str(user)})
        with urllib.request.urlopen(request, timeout=apitest.DEADLINE_S) as answer:
            return json.loads(answer.read())

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(apitest.DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
