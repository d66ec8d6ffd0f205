"""Runs of pgmend load that are ended in the middle: what was measured is there, and says that it is not all.

Usage: killed.py      prints TAP
"""
import json
import signal

import bad_server
from loadtest import FOLDER, check, done, finish, pgmend, same, scenario, start, wait_until

TEXT = """[scenario]
name = killed
kind = http
target = 127.0.0.1:{port}
warm_up = 0s
duration = 10m
[request good]
path = /good
[users people]
count = 20
rate = 100/s
mix = good
"""


def begin(server, name, *words):
    """A run of its own, which has asked something."""
    server.requests.clear()
    output = FOLDER / f"{name}.json"
    process = start("load", "run", scenario(name, TEXT.format(port=server.port)), "--output", output, *words)
    wait_until("the run asks", lambda: server.requests["good"] > 120 or process.poll() is not None)
    return process, output


def load(output):
    return json.loads(output.read_text(encoding="utf-8"))


def test_kill(server):
    """Even without a chance to write anything."""
    process, output = begin(server, "kill")
    wait_until("a state in between is saved", output.exists)
    process.kill()
    finish(process)
    found = load(output)
    same(found["is_complete"], False, "kill -9: the file says that it is not all")
    check(0 < found["calls"] <= server.requests["good"], "and holds what was measured till then", found["calls"])
    check(len(found["seconds"]) >= 1 and found["elapsed_us"] > 0, "with its seconds", found["elapsed_us"])
    result = pgmend("load", "compare", output, output)
    check(result.status == 0 and "did not come to its end" in result.err, "load compare reads it, and warns", result)
    same([path.name for path in FOLDER.glob("kill.json*")], ["kill.json"], "no half file lies beside it")


def test_signals(server):
    for sent, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        name = sent.name.lower()
        process, output = begin(server, name)
        process.send_signal(sent)
        result = finish(process)
        same(result.status, status, f"{sent.name}: status {status}")
        check("good" in result.out and "stopped by a signal" in result.out, f"{sent.name}: what was measured is shown",
              result)
        found = load(output)
        same((found["is_complete"], found["is_stopped"]), (False, True), f"{sent.name}: the file says so")
        check(server.requests["good"] - 25 <= found["calls"] <= server.requests["good"],
              f"{sent.name}: all answers are counted", f"{found['calls']} of {server.requests['good']}")


def test_until_signal(server):
    process, output = begin(server, "until", "--until-signal")
    process.send_signal(signal.SIGTERM)
    result = finish(process)
    same(result.status, 0, "--until-signal: a signal is a good end")
    same(load(output)["is_complete"], True, "and the result is whole")


def main():
    server = bad_server.Server()
    test_signals(server)
    test_until_signal(server)
    test_kill(server)
    done()


main()
