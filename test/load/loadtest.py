"""What the tests of "pgmend load" share: scenarios as text, runs of the program, and its results.

The environment names the program, PGMEND, and a server: PGHOST, PGPORT, PGUSER.
"""
import atexit
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
# pylint: disable-next=wrong-import-position
import apitest
# pylint: disable-next=wrong-import-position,unused-import
from apitest import bail, check, done, free_port, program, same, skip_all, wait_until

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="pgmend-load-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def scenario(name, text):
    """A file of this text."""
    path = FOLDER / f"{name}.ini"
    path.write_text(text, encoding="utf-8")
    return path


def command(*words, env=None):
    argv = [program("PGMEND"), "--state-dir", str(FOLDER / "state"), "--no-input", *map(str, words)]
    # Nothing may connect to the cluster by accident.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG") or name.startswith("PGMEND")}
    return argv, {**clean, **(env or {})}


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"status {self.status}\n{self.out[-2500:]}\n{self.err[-1500:]}"


def pgmend(*words, env=None, before=None):
    """Runs it to its end; before: a line of shell that comes first ("ulimit -n 200")."""
    argv, clean = command(*words, env=env)
    if before:
        argv = ["bash", "-c", before + '; exec "$@"', "bash", *argv]
    ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=clean,
                           errors="replace", timeout=300)
    return Result(ended.returncode, ended.stdout, ended.stderr)


def start(*words, env=None):
    argv, clean = command(*words, env=env)
    # pylint: disable-next=consider-using-with
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=clean)


def finish(process):
    out, err = process.communicate(timeout=120)
    return Result(process.returncode, out, err)


def outcomes(result, group):
    """{"good": 3, …} without zeros."""
    if "groups" not in result:
        bail(f"the result has no groups: {str(result)[:1000]}")
    found = next(one for one in result["groups"] if one["name"] == group)
    return {name: count for name, count in found["outcomes"].items() if count}
