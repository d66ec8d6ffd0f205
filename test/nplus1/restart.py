"""A server that is restarted under the proxy of pgmend queries trace: who is connected gets the end, who comes then is served.

The environment names the program: PGMEND. Starts a server of its own. Prints TAP.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
state = {"number": 0, "failed": 0}


def check(good, name, found=""):
    state["number"] += 1
    state["failed"] += not good
    print(f"{'ok' if good else 'not ok'} {state['number']} - {name}", flush=True)
    if not good:
        print("# " + str(found)[:2000].replace("\n", "\n# "), flush=True)


def cluster(action, folder, *more):
    done = subprocess.run([ROOT / "script/cluster", action, folder, *more], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    return dict(re.findall(r"(PG\w+)=(\S+)", done.stdout))


class Session:
    """psql that is told one statement after the other."""

    def __init__(self, port, user):
        self.process = subprocess.Popen(["psql", "-XqAt", "-h", "127.0.0.1", "-p", port, "-U", user, "-d", "postgres"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, sql):
        self.process.stdin.write(sql + "\n")
        return self.process.stdout.readline().strip()


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pgmend-restart-"))
    folder.chmod(0o755)
    trace = None
    try:
        words = cluster("start", folder / "cluster", "--scratch")
        url = f"host={words['PGHOST']} port={words['PGPORT']} user={words['PGUSER']} dbname=postgres"
        trace = subprocess.Popen([os.environ["PGMEND"], "queries", "trace", "--listen", "127.0.0.1:0", "--db-url", url, "--output",
                                  folder / "t.trace"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        port = None
        while not port:
            line = trace.stderr.readline()
            if not line:
                sys.exit("the proxy has ended")
            found = re.search(r"Listening on \S+?:(\d+);", line)
            port = found and found[1]
        session = Session(port, words["PGUSER"])
        check(session.ask("SELECT 41 + 1;") == "42", "a session works")
        cluster("stop", folder / "cluster")
        session.process.stdin.write("SELECT 2;\n")
        session.process.stdin.close()
        said = session.process.stderr.read()
        session.process.wait(60)
        check("terminating connection due to administrator command" in said and session.process.returncode == 2,
              "it is told what the server said, and that it is over", said)
        refused = subprocess.run(["psql", "-XAt", "-h", "127.0.0.1", "-p", port, "-U", words["PGUSER"], "-d", "postgres", "-c", "SELECT 1"],
                                 capture_output=True, text=True, timeout=60)
        check(refused.returncode == 2 and refused.stderr != "" and trace.poll() is None,
              "while the server is down a new one gets an error, and the proxy stays", refused.stderr)
        cluster("start", folder / "cluster", "--scratch")
        session = Session(port, words["PGUSER"])
        check(session.ask("SELECT 6 * 7;") == "42", "when it is back, a new session works")
        session.process.stdin.close()
        session.process.wait(60)
        trace.terminate()
        trace.stderr.read()
        check(trace.wait(60) == 0, "the proxy ends in order", trace.returncode)
        lines = [json.loads(line) for line in (folder / "t.trace").read_text(encoding="utf-8").splitlines()]
        texts = [line["text"] for line in lines if "t" in line]
        check("SELECT $1 + $2" in texts and "SELECT $1 * $2" in texts and lines[-1].get("lost") == 0,
              "the trace has what came before and after it, and nothing is lost", lines)
    finally:
        if trace and trace.poll() is None:
            trace.kill()
        cluster("remove", folder / "cluster")
        subprocess.run(["rm", "-rf", folder], check=True)
    print(f"1..{state['number']}")
    return 1 if state["failed"] else 0


sys.exit(main())
