"""A private server for the benches of this folder, and what is asked of it."""
import os
import pathlib
import re
import subprocess
import sys

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def cluster(action, folder, *more):
    return subprocess.run([ROOT / "script/cluster", action, folder, *more], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def start(folder, *settings):
    """Starts a server that need not survive a crash; PGHOST and its kin lead to it afterwards."""
    words = [word for setting in settings for word in ("--set", setting)]
    cluster("start", folder, "--scratch", *words)
    for name, value in re.findall(r"(PG\w+)=(\S+)", cluster("env", folder)):
        os.environ[name] = value


def connect(database):
    connection = psycopg2.connect(dbname=database)
    connection.autocommit = True
    return connection


def run_script(database, text):
    """A script by psql, which ends at the first error."""
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database], input=text, text=True, check=True,
                   stdout=subprocess.DEVNULL)


def rows_of(connection, text, args=None):
    with connection.cursor() as cursor:
        cursor.execute(text, args)
        return cursor.fetchall() if cursor.description else []


def value_of(connection, text, args=None):
    return rows_of(connection, text, args)[0][0]


def cpu_seconds(pid):
    """Of a session, exactly: the ticks of /proc/PID/stat are too coarse."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
