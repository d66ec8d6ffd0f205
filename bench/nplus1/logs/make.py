#!/usr/bin/env python3
"""Makes a log of a server's shape: make.py FORM LINES > FILE, FORM one of jsonlog, csvlog, stderr.

Sessions of a pool, interleaved; N+1 in autocommit and in transactions, batched and single statements,
parameters in the DETAIL line, errors, other databases. The fields are those that PostgreSQL 15 writes.
"""
import datetime
import json
import random
import sys

form, lines = sys.argv[1], int(sys.argv[2])
rng = random.Random(7)
start = datetime.datetime(2026, 1, 1)
clock = 0
out = sys.stdout
written = 0


class Session:
    def __init__(self, number):
        self.pid, self.number, self.xid = 1000 + number, 0, 0
        self.id = f"6955b900.{self.pid:x}"
        self.database = "other" if number % 10 == 9 else "app"

    def say(self, message, detail=None, severity="LOG", statement=None, vxid=None):
        global clock, written
        clock += rng.randrange(50, 400)
        now = (start + datetime.timedelta(microseconds=clock)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
        self.number += 1
        vxid = vxid or f"{self.pid}/0"
        if form == "jsonlog":
            row = {"timestamp": now, "user": "app", "dbname": self.database, "pid": self.pid, "remote_host": "10.0.0.7",
                   "remote_port": 50000 + self.pid, "session_id": self.id, "line_num": self.number, "ps": "SELECT",
                   "session_start": "2026-01-01 00:00:00 UTC", "vxid": vxid, "txid": 0, "error_severity": severity,
                   "message": message, "detail": detail, "statement": statement, "application_name": "api",
                   "backend_type": "client backend", "query_id": 0}
            text = json.dumps({k: v for k, v in row.items() if v is not None}, separators=(",", ":"))
        elif form == "csvlog":
            def q(value):
                return "" if value is None else '"' + value.replace('"', '""') + '"'
            text = (f'{now},"app","{self.database}",{self.pid},"10.0.0.7:{50000 + self.pid}",{self.id},{self.number},"SELECT",'
                    f'2026-01-01 00:00:00 UTC,{vxid},0,{severity},00000,{q(message)},{q(detail)},,,,,{q(statement)},,,"api",'
                    '"client backend",,0')
        else:
            head = f"{now} [{self.pid}] app@{self.database} "
            text = head + f"{severity}:  " + message.replace("\n", "\n\t")
            for name, more in (("DETAIL", detail), ("STATEMENT", statement)):
                if more:
                    text += "\n" + head + f"{name}:  " + more
        out.write(text + "\n")
        written += text.count("\n") + 1

    def run(self, sql, detail=None, vxid=None):
        how = "execute <unnamed>" if detail else "statement"
        self.say(f"duration: {rng.randrange(20, 900) / 1000:.3f} ms  {how}: {sql}", detail, vxid=vxid)


def request(session):
    session.xid += 1
    block = f"{session.pid}/{session.xid}" if rng.random() < 0.5 else None
    if block:
        session.run("BEGIN", vxid=block)
    yield
    kind = rng.random()
    if kind < 0.6:
        session.run("SELECT id, title\n  FROM dialogs WHERE user_id = $1 ORDER BY updated_at DESC LIMIT 20",
                    f"parameters: $1 = '{rng.randrange(10000)}'", block)
        for _ in range(rng.randrange(3, 20)):
            yield
            session.run("SELECT count(*) FROM messages WHERE dialog_id = $1 AND role = 'user'",
                        f"parameters: $1 = '{rng.randrange(100000)}'", block)
    elif kind < 0.9:
        session.run(f"SELECT id, name FROM bots WHERE owner = {rng.randrange(1000)} AND name <> 'it''s'", vxid=block)
    else:
        session.say("division by zero", severity="ERROR", statement="SELECT 1/0", vxid=block)
    if block:
        yield
        session.run("COMMIT")


sessions = [Session(n) for n in range(50)]
going = {}
while written < lines:
    session = rng.choice(sessions)
    if session not in going:
        going[session] = request(session)
    try:
        next(going[session])
    except StopIteration:
        del going[session]
