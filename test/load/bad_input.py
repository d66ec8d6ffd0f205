"""pgmend load run against servers that misbehave, with scenarios that are wrong, and with too little of what it needs.

Usage: bad_input.py      prints TAP
"""
import threading
import time

import bad_server
from loadtest import FOLDER, check, done, finish, free_port, outcomes, pgmend, same, scenario, start, wait_until

# How the server answers, and what the run must call it: the one outcome of every request.
EXPECTED = {
    "good": "good", "slow": "good", "chunked": "good", "early": "good", "close": "good", "huge": "good",
    "http10": "good", "empty": "good", "fifth": "good", "error": "failed", "busy": "refused", "limit": "refused",
    "reset": "reset", "cut": "reset", "silent": "reset", "garbage": "garbage", "double": "garbage",
    "header": "garbage", "status": "garbage", "size": "garbage",
}
HEAD = """[scenario]
name = t
kind = http
target = 127.0.0.1:{port}
warm_up = 0s
duration = {seconds}s
limit = {limit}s
"""


def group(name, pace, count=2):
    return f"[request {name}]\npath = /{name}\n[users of_{name}]\ncount = {count}\n{pace}\nmix = {name}\n"


def head(port, seconds=2, limit=1):
    return HEAD.format(port=port, seconds=seconds, limit=limit)


def is_refused(result):
    """An error, and nothing was measured."""
    return result.status in (1, 2, 8) and result.out == ""


def test_servers():
    """Each kind of answer, by users of its own."""
    server = bad_server.Server()
    # A busy machine must not make a slow server of a good one.
    text = head(server.port, seconds=3, limit=60)
    for mode in EXPECTED:
        text += group(mode, "rate = 2/s" if mode == "huge" else "rate = 8/s")
    text += group("more", "rate = 8/s")
    result = pgmend("--json", "load", "run", scenario("servers", text))
    same(result.status, 1, "errors and no goals: status 1")
    found = result.json()
    for mode, expected in EXPECTED.items():
        seen = outcomes(found, f"of_{mode}")
        # Users whose connection was lost wait before they try again; what is due meanwhile was not sent.
        if expected in ("reset", "garbage"):
            seen.pop("unconnected", None)
        check(seen.get(expected, 0) > 0 and set(seen) == {expected}, f"a server that does \"{mode}\": {expected}",
              f"{seen}, the server got {server.requests[mode]}\n{found['messages']}")
        if expected == "good":
            counted = seen.get("good", 0)
            check(counted <= server.requests[mode] <= counted + 3, f"\"{mode}\": as many good ones as the server answered",
                  f"{counted} of {server.requests[mode]}")
    seen = outcomes(found, "of_more")
    check("garbage" in seen or found["generator"]["lost"] > 0, "bytes after the answer are noticed", seen)
    texts = " ".join(found["messages"])
    shown = pgmend("load", "run", scenario("garbage", head(server.port, 1) + group("garbage", "rate = 8/s")))
    check("garbage" in shown.out and "\x1b" not in shown.out, "what a server sends reaches no terminal", shown)
    check("500" in texts, "messages name the status", texts)
    server.stop()


def test_nobody_listens():
    port = free_port()
    before = time.monotonic()
    result = pgmend("load", "run", scenario("nobody", head(port, 3) + group("good", "rate = 10/s")))
    check(is_refused(result) and f"127.0.0.1:{port}" in result.err and "refused" in result.err.lower(),
          "nobody listens: the message says who refused", result)
    check(result.out == "", "and there is no table of nothing", result)
    check(time.monotonic() - before < 60, "and it does not try for ever")


def test_outage():
    """A server that goes away in the middle and comes back: everything that was due is counted."""
    server = bad_server.Server()
    path = scenario("outage", head(server.port, seconds=6) + group("good", "think = 50ms", count=10))
    process = start("--json", "load", "run", path)
    wait_until("the server is asked", lambda: server.requests["good"] > 20)
    time.sleep(1)
    server.stop()
    time.sleep(1.5)
    server.start()
    came = server.requests["good"]
    wait_until("the server is asked again", lambda: server.requests["good"] > came + 20)
    result = finish(process)
    found = result.json()
    seen = outcomes(found, "of_good")
    due = sum(seen.values()) + found["unanswered"]
    # 10 users, one request each 50 ms, 6 s.
    check(1150 <= due <= 1250, "an outage hides no request: all that were due are counted", f"{due}: {seen}")
    check(seen.get("unconnected", 0) + seen.get("reset", 0) >= 150, "those of the outage have failed", seen)
    check(seen.get("good", 0) >= 300, "and the run went on when the server was back", seen)
    seconds = found["seconds"]
    check(any(one["errors"] for one in seconds) and not seconds[0]["errors"], "the seconds say when it was", seconds)
    server.stop()


def test_dead_end():
    """A server that takes requests and never answers: the limit holds, and the run ends by itself."""
    server = bad_server.Server()
    result = pgmend("--json", "load", "run", scenario("dead", head(server.port, 3) + group("hang", "rate = 10/s")))
    seen = outcomes(result.json(), "of_hang")
    check("good" not in seen and seen.get("timeout", 0) > 0 and result.status == 1, "a server that never answers", result)
    server.stop()


REQUEST = "[request a]\npath = /good\n"
USERS = "[users u]\ncount = 1\nmix = a\n"
SCENARIOS = {
    # name: (text after the 7 lines of the head, line that must be named, word that must be there)
    "unknown_key": (REQUEST + "speed = 3\n" + USERS + "think = 1s\n", 10, "speed"),
    "unknown_section": ("[reqest a]\npath = /good\n", 8, "reqest"),
    "unknown_request": (REQUEST + USERS.replace("mix = a", "mix = b") + "think = 1s\n", 12, "b"),
    "unknown_value": (REQUEST.replace("good", "${nothing}") + USERS + "think = 1s\n", 9, "nothing"),
    "bad_time": (REQUEST + USERS + "think = 1 parsec\n", 13, "parsec"),
    "bad_count": (REQUEST + USERS.replace("1", "-1") + "think = 1s\n", 11, "-1"),
    "bad_goal": (REQUEST + USERS + "think = 1s\n[goals]\ngoal = p95 < blue\n", 15, "blue"),
}


def test_scenarios():
    for name, (rest, line, word) in SCENARIOS.items():
        path = scenario(name, head(1, 2) + rest)
        result = pgmend("load", "run", path)
        check(is_refused(result) and f"{path}:{line}" in result.err and word in result.err,
              f"a scenario with {name.replace('_', ' ')}: the line is named", result)
    missing = pgmend("load", "run", FOLDER / "missing.ini")
    check(missing.status != 0 and "missing.ini" in missing.err, "a scenario that is not there", missing)
    empty = pgmend("load", "run", scenario("empty", ""))
    check(empty.status != 0 and "empty.ini" in empty.err, "an empty scenario", empty)
    hostile = FOLDER / "hostile.ini"
    hostile.write_bytes(b"[scenario]\nname = \x1b[31m\xff\xfe\n\x00\x00[request\n" + b"a" * 100000)
    result = pgmend("load", "run", hostile)
    check(is_refused(result) and "\x1b" not in result.err and "hostile.ini:" in result.err,
          "a scenario of rubbish", result)


def test_targets():
    for target, word in {"example.org:80": "example.org", "10.1.2.3:80": "--allow", "127.0.0.1": "port",
                         "https://127.0.0.1:443": "https", "127.0.0.1:99999": "99999"}.items():
        path = scenario("target", head(1).replace("127.0.0.1:1", target) + group("good", "rate = 10/s"))
        result = pgmend("load", "run", path)
        check(is_refused(result) and word in result.err and "127.0.0.2" not in result.err,
              f"{target} may not be loaded, and is told why", result)


def test_descriptors(server):
    path = scenario("many", head(server.port) + group("good", "think = 1s", count=500))
    result = pgmend("load", "run", path, before="ulimit -n 200")
    check(is_refused(result) and "ulimit -n" in result.err and "LimitNOFILE" in result.err,
          "too few descriptors: says what to raise", result)
    same(server.requests["good"], 0, "and has asked nothing")


def test_caps(server):
    """Bounds that no scenario can exceed."""
    for rest, name in {"rate = 1000000/s": "rate", "think = 1s\nloop = open": "count"}.items():
        path = scenario(f"cap_{name}", head(server.port) + group("good", rest, count=1000000 if name == "count" else 10))
        result = pgmend("load", "run", path)
        check(is_refused(result) and f"cap_{name}.ini:" in result.err, f"a {name} of a million is refused", result)
    path = scenario("long", head(server.port, seconds=100000) + group("good", "rate = 1/s"))
    result = pgmend("load", "run", path)
    check(is_refused(result) and "long.ini:6" in result.err and "4h" in result.err, "a run of a day is refused", result)
    same(server.requests["good"], 0, "none of them has asked anything")


def test_output_is_kept():
    """A run that cannot begin leaves the file of the one before."""
    output = FOLDER / "kept.json"
    output.write_text("of an earlier run")
    pgmend("load", "run", scenario("refused", head(free_port()) + group("good", "rate = 10/s")), "--output", output)
    same(output.read_text(), "of an earlier run", "a run that cannot begin leaves the earlier result")
    server = bad_server.Server()
    result = pgmend("load", "run", scenario("nowhere", head(server.port, 1) + group("good", "rate = 10/s")),
                    "--output", FOLDER / "no/such/folder.json")
    check(result.status != 0 and "no/such" in result.err, "an output that cannot be written is told", result)
    same(server.requests["good"], 0, "before anything is asked")
    server.stop()


def main():
    server = bad_server.Server()
    threads = [threading.Thread(target=work) for work in (test_outage, test_dead_end, test_nobody_listens)]
    for thread in threads:
        thread.start()
    test_scenarios()
    test_targets()
    test_descriptors(server)
    test_caps(server)
    test_output_is_kept()
    for thread in threads:
        thread.join()
    test_servers()
    done()


main()
