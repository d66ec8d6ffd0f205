"""Clients in other languages, as traffic.py has its own: processes that are told by lines what to ask.

A line is "ask", the SQL in base64, and the values, separated by tabs; or "end" of the request. A value is i7 (number),
sAAAA (text in base64) or a1,2 (numbers). The answer is a line: rows separated by tabs, cells by commas; n is NULL.
"""
import base64
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def encode(value):
    if isinstance(value, list):
        return "a" + ",".join(map(str, value))
    if isinstance(value, int):
        return f"i{value}"
    return "s" + base64.b64encode(value.encode()).decode()


def decode(cell):
    if cell[0] == "n":
        return None
    return int(cell[1:]) if cell[0] == "i" else base64.b64decode(cell[1:]).decode()


class Lines:
    def __init__(self, argv, address, is_transaction):
        whole = [*argv, address["host"], str(address["port"]), address["user"], address["dbname"],
                 "transaction" if is_transaction else "auto"]
        self.process = subprocess.Popen(whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended with status {self.process.wait()}")
        return line.rstrip("\n")

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def ask(self, sql, values):
        text = base64.b64encode(sql.encode()).decode()
        found = self.tell("\t".join(["ask", text, *map(encode, values)]))
        return [tuple(decode(cell) for cell in row.split(",")) for row in found.split("\t")] if found else []

    def end(self):
        self.tell("end")

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


class Node(Lines):
    """node-postgres; NODE_PATH names the folder of its modules."""

    def __init__(self, address, is_transaction):
        super().__init__(["node", str(HERE / "client.js")], address, is_transaction)

    @staticmethod
    def is_there():
        return subprocess.run(["node", "-e", "require('pg')"], capture_output=True, check=False).returncode == 0


class Jdbc(Lines):
    """The JDBC driver; JDBC_JAR names its file."""

    def __init__(self, address, is_transaction):
        super().__init__(["java", "-XX:+UseSerialGC", "-Xmx128m", "-cp", os.environ["JDBC_JAR"], str(HERE / "Client.java")],
                         address, is_transaction)

    @staticmethod
    def is_there():
        return os.path.exists(os.environ.get("JDBC_JAR", ""))
