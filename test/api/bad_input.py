"""Every route of replyx-api with what nobody should send: each gets its status and an error as JSON, and hurts nobody else.

Usage: bad_input.py      prints TAP
"""
import base64
import contextlib
import json
import os
import socket
import threading
import time

import apitest
from apitest import check, parse_answers, same, token, wait_until

# Route, method, whether one has to sign in; {a} an assistant, {d} a dialog, {b} a bot of USER.
ROUTES = [
    ("/assistants", "GET", True),
    ("/assistants?active=true", "GET", True),
    ("/assistants/stats", "GET", True),
    ("/assistants/{a}/dialogs", "GET", True),
    ("/assistants/{a}/documents", "GET", True),
    ("/assistants/{a}/search", "POST", True),
    ("/dialogs/{d}/messages", "GET", True),
    ("/dialogs", "GET", True),
    ("/bot-instances", "GET", True),
    ("/balance", "GET", True),
    ("/login", "POST", False),
    ("/telegram/webhook/{b}", "POST", False),
    ("/health", "GET", False),
    ("/health/live", "GET", False),
    ("/health/ready", "GET", False),
    ("/metrics", "GET", False),
]
HOOK_SECRET = "hook-secret-of-the-tests-0123456789"
HOOK_MOST = 64 * 1024  # bytes of an update
# Numbers that no row can have, and what is none.
IDS = ["0", "-1", "+1", "2147483648", "9223372036854775807", "9223372036854775808", "1" * 400, "a", "1a", "01", "1.0", "1e3",
       "0x1", "%00", "1%00", "%31%00", "%ff%fe", "%c3%28", "%d9%a1", "%20", "1%20", "%2e%2e", "..", "%2f", "1;", "null", "true",
       "1'--", "%27%20OR%201=1--", "{id}", "%F0%9F%99%82", "%", "%zz", "%u0031"]
NUMBERS = ["0", "-1", "+1", "2147483648", "9223372036854775808", "1" * 100, "", "a", "1.5", "1e1", "0x10", "%00", "1%00", "%ff",
           "%201", "1%20", "null", "[1]", "%D9%A1", "1,2"]


class Bench:
    def __init__(self, base, secret):
        self.base = base
        self.wrong = []
        self.count = 0
        row = base.rows("SELECT a.user_id, min(a.id) AS a, min(d.id) AS d FROM public.assistants a JOIN public.dialogs d"
                        " ON d.assistant_id = a.id AND d.user_id = a.user_id GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")[0]
        self.user = row["user_id"]
        self.names = {"a": row["a"], "d": row["d"], "b": base.rows("SELECT min(id) AS b FROM public.bot_instances")[0]["b"]}
        self.server = apitest.Server(base, "optimised", ["--webhook-secret-file", secret, "--idle-timeout", "3s",
                                                         "--most-connections", "400"])
        self.good = token(self.user)

    @staticmethod
    def hook_header(bot):
        """What setWebhook of this bot was given as secret_token."""
        return {"X-Telegram-Bot-Api-Secret-Token": apitest.hook_token(HOOK_SECRET, bot)}

    def path(self, route):
        return route.format(**self.names)

    def plain(self, target):
        """The bytes of a good request."""
        return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.good}\r\n\r\n".encode()

    def expect(self, answer, statuses, what):
        """One of these statuses; an error is JSON that says what kind of error it is."""
        self.count += 1
        if answer is None or answer.status not in statuses or not is_good_error(answer):
            self.wrong.append((what, statuses, answer))

    def ask(self, statuses, method, path, **more):
        try:
            answer = self.server.request(method, path, **more)
        except (OSError, apitest.http.client.HTTPException) as why:
            answer = None
            self.server.close()
            more = {"why": repr(why), **more}
        self.expect(answer, statuses, f"{method} {path[:200]} {str(more)[:300]}")

    def report(self, name):
        check(not self.wrong, f"{name} ({self.count} requests)",
              f"{len(self.wrong)} times; the first:\n" + "\n".join(map(str, self.wrong[:8])))
        self.wrong, self.count = [], 0


def is_good_error(answer):
    if answer.status < 400:
        return True
    if answer.header("content-type") != "application/json" or answer.header("x-content-type-options") != "nosniff":
        return False
    try:
        error = json.loads(answer.body)["error"]
    except (ValueError, KeyError, TypeError):
        return answer.status == 503 and b'"ready"' in answer.body
    is_clear = bool(error["kind"]) and isinstance(error["message"], str)
    return is_clear and (answer.status not in (429, 503) or "retry-after" in answer.headers)


def methods(bench):
    for route, good, _ in ROUTES:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get"):
            if method == good or (method == "GET" and good == "POST" and route == "/login"):
                continue
            bench.ask({400, 405, 501}, method, bench.path(route).partition("?")[0], bearer=bench.good)
        if good == "GET":
            answer = bench.server.request("HEAD", bench.path(route), bearer=bench.good)
            bench.expect(answer, {200}, f"HEAD {route}")
            if answer.body:
                bench.wrong.append((f"HEAD {route} has a body", answer))
    answer = bench.server.post("/balance", {}, bearer=bench.good)
    if answer.status != 405 or "GET" not in answer.header("allow", ""):
        bench.wrong.append(("405 tells which methods there are", answer))
    bench.report("wrong methods")


def paths(bench):
    for path in ("/", "/nothing", "/assistants/", "/assistants//stats", "/assistants/stats/", "/Assistants", "/balance/x", "/dialogs/",
                 "/health/dead", "/metrics/x", "/assistants/1", "/assistants/1/dialogs/", "/assistants/1/dialogs/2", "/login/",
                 "/./balance", "/../balance", "/assistants/../balance", "/%2e%2e/balance", "/balance%00", "/balance%2f", "/bal%61nce/..",
                 "//balance", "/balance;x", "/assistants/%73tats%00", "/telegram/webhook", "/telegram/webhook/", "/%ff", "/balance%ff",
                 "/" + "a" * 3000, "/assistants/1/" + "x" * 3000, "/favicon.ico", "/.git/config", "/etc/passwd"):
        bench.ask({400, 404}, "GET", path, bearer=bench.good)
    bench.ask({400, 404, 414, 431}, "GET", "/" + "a" * 200000, bearer=bench.good)
    bench.report("paths that are none")
    for path, message in (("/nothing", "there is nothing at this path"), ("/health/dead", "there is nothing at this path"),
                          ("/dialogs/2147483647/messages", "there is nothing here, or it is not yours"),
                          ("/balance%00", "the target has a %00, which no text may hold"),
                          ("/balance%zz", "the target has a % without two hexadecimal digits"),
                          ("/balance?x=1", 'the query has a member "x" that is not known'),
                          ("/dialogs?page=1&page=2", "the query has page twice"),
                          ("/balance?" + "%d1%8f" * 50, 'the query has a member "' + "я" * 20 + '" that is not known')):
        found = bench.server.get(path, bearer=bench.good).json()["error"]
        same((found["message"], "hint" in found and found["hint"] is None), (message, False), f"{path[:40]} is told what is wrong")
    same(bench.server.post("/login", {"email": "", "password": "x"}).json()["error"]["message"], "email is empty", "so is an empty address")
    for given in IDS:
        bench.ask({400, 404}, "GET", f"/assistants/{given}/dialogs", bearer=bench.good)
        bench.ask({400, 404}, "GET", f"/assistants/{given}/documents", bearer=bench.good)
        bench.ask({400, 404}, "GET", f"/dialogs/{given}/messages", bearer=bench.good)
        bench.ask({400, 404}, "POST", f"/assistants/{given}/search", bearer=bench.good, body={"text": "x"})
        bench.ask({400, 401, 403, 404}, "POST", f"/telegram/webhook/{given}", body={"update_id": 1})
    for given in ("2147483647", "999999999"):
        bench.ask({404}, "GET", f"/assistants/{given}/dialogs", bearer=bench.good)
        bench.ask({404}, "GET", f"/assistants/{given}/documents", bearer=bench.good)
        bench.ask({404}, "GET", f"/dialogs/{given}/messages", bearer=bench.good)
        bench.ask({404}, "POST", f"/assistants/{given}/search", bearer=bench.good, body={"text": "x"})
    bench.report("ids that no row has")
    for given in NUMBERS:
        bench.ask({400}, "GET", f"/dialogs?page={given}", bearer=bench.good)
        bench.ask({400}, "GET", f"/dialogs?limit={given}", bearer=bench.good)
        bench.ask({400}, "GET", bench.path(f"/dialogs/{{d}}/messages?limit={given}"), bearer=bench.good)
        if given not in ("0", ""):
            bench.ask({400}, "GET", f"/assistants?active={given}", bearer=bench.good)
    bench.ask({400}, "GET", "/dialogs?limit=101", bearer=bench.good)
    bench.ask({200}, "GET", "/dialogs?page=2147483647&limit=100", bearer=bench.good)
    for query in ("?=", "?page", "?page=1&page=x", "?page=1&page=1", "?unknown=1", "?Page=1", "?page=1&%70age=1", "?limit=1&a%ff=1",
                  "?" + "a=b&" * 1900, "?%00=%00", "?page=1#x"):
        bench.ask({400, 414, 431}, "GET", "/dialogs" + query, bearer=bench.good)
    for query in ("?", "?&&&", "?&page=1&", "?%70age=1"):
        bench.ask({200}, "GET", "/dialogs" + query, bearer=bench.good)
    for path in ("/balance?x=1", "/assistants?Active=true", "/assistants?active=true&active=false", "/assistants/stats?days=7",
                 bench.path("/dialogs/{d}/messages?limit=1&limit=2"), "/bot-instances?" + "%d1%8f" * 50):
        bench.ask({400}, "GET", path, bearer=bench.good)
    bench.report("values of the query that are out of range or of no type")


def forged_tokens(bench):
    def part(value):
        return apitest.base64url(value if isinstance(value, bytes) else json.dumps(value).encode())

    good = bench.good
    head, body, signature = good.split(".")
    none = part({"alg": "none", "typ": "JWT"})
    flipped = signature[:-2] + ("A" if signature[-2] != "A" else "B") + signature[-1]
    yield from ("", " ", "x", "a.b", "a.b.c", "...", good + ".", "." + good, good + "=", good[:-1], good + "A", good.upper(),
                f"{head}.{body}.", f"{head}.{body}", f"{none}.{body}.", f"{none}.{body}.{signature}", f"{head}.{body}.{flipped}",
                f"{head}.{part({'sub': '1', 'exp': 9999999999})}.{signature}", token(bench.user, secret="another secret" * 4),
                token(bench.user, secret=""), token(bench.user, life_s=-1), token(bench.user, life_s=-10**9),
                str(bench.user), f"Bearer {good}", "A" * 5000, base64.b64encode(b"user:password").decode(), "null", "undefined")
    for algorithm in ("HS512", "HS384", "RS256", "ES256", "NONE", "hs256", "", None, 1, ["HS256"]):
        yield token(bench.user, header={"alg": algorithm, "typ": "JWT"})
    yield token(bench.user, header={"typ": "JWT"})
    for subject in ("0", "-1", "2147483648", "9223372036854775808", "", " 1", "1 ", "1e3", "01", "a", "1' OR '1'='1"):
        yield token(subject)
    for claims in ({"exp": None}, {"exp": "9999999999"}, {"exp": -1}, {"exp": 0}, {"sub": None}, {"sub": bench.user}, {"sub": [1]},
                   {"sub": {}}, {"nbf": 9999999999}):
        yield token(bench.user, **claims)
    yield "rx_" + "0" * 64
    yield "rx_" + "0" * 63
    yield "rx_" + "G" * 64


def identity(bench):
    signed_in = [(bench.path(route), method) for route, method, is_signed in ROUTES if is_signed]
    for path, method in signed_in:
        bench.ask({401}, method, path, body={"text": "x"} if method == "POST" else None)
        bench.ask({401}, method, path, bearer=token(bench.user, life_s=-5), body={"text": "x"} if method == "POST" else None)
        bench.ask({401}, method, path, bearer=token(bench.user, secret="?" * 40), body={} if method == "POST" else None)
    bench.report("nobody signed in, or with an old or a forged token, on every route")
    for given in forged_tokens(bench):
        bench.ask({401, 400, 431}, "GET", "/balance", bearer=given)
    for given in ("Basic dXNlcjpwYXNz", "bearer", "Bearer", "Token x", "Digest x", "Bearer\x0b" + bench.good, "Bearer," + bench.good,
                  "\xff\xfe", "Bearer \xff"):
        bench.ask({400, 401}, "GET", "/balance", headers={"Authorization": given})
    bench.ask({400, 401, 431}, "GET", "/balance", bearer="A" * 100000)
    bench.report("tokens that are forged in some way")
    for given, name in ((bench.good, "the token that was changed"), (token(bench.user, typ="x", iat=0), "one with more in it")):
        same(bench.server.get("/balance", bearer=given).status, 200, f"{name} is good as it is")


def deep(depth):
    return b'{"email":' + b"[" * depth + b"]" * depth + b"}"


BODIES = [b"", b" ", b"{", b"}", b"[]", b"null", b"true", b"1", b'"x"', b"{}", b"{}{}", b"{} x", b"[1,2", b'{"a":}', b"{'a':1}", b"{a:1}",
          b'{"a":1,}', b'{"email":"a","email":"b"}', b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b'{"email":"\xff"}', b'{"email":"\xc0\x80"}',
          b'{"email":"\xed\xa0\x80"}', b'{"email":"\\ud800"}', b'{"email":"\\u0000"}', b'{"email":"a\x00b"}', b'{"email":"\n"}',
          b'{"email":1e999999}', b'{"email":' + b"9" * 10000 + b"}", b"\x00", b"\x00" * 1000, deep(10), deep(1000), deep(100000),
          b"[" * 500000,
          b"<?xml version='1.0'?>", b"email=a&password=b", b'{"text":' + b'"' + b"x" * 900000 + b'"}', os.urandom(3000)]
WRONG_TYPES = [None, 0, 1.5, True, [], {}, ["a"], {"a": 1}, "", "x" * 100000, "\x00", "\ud800"]


def bodies(bench):
    login, search = "/login", bench.path("/assistants/{a}/search")
    hook, secret = bench.path("/telegram/webhook/{b}"), bench.hook_header(bench.names["b"])
    for body in BODIES:
        bench.ask({400, 401}, "POST", login, body=body)
        bench.ask({400}, "POST", search, body=body, bearer=bench.good)
        bench.ask({400 if len(body) <= HOOK_MOST else 413}, "POST", hook, body=body, headers=secret)
    bench.report("bodies that are no JSON object, or deep, or huge, or no UTF-8")
    for path, more in ((login, {}), (search, {"bearer": bench.good}), (hook, {"headers": secret})):
        bench.ask({413}, "POST", path, body=b'{"text":"' + b"x" * (2 << 20) + b'"}', **more)
    bench.report("2 MB are too much")
    for value in WRONG_TYPES:
        bench.ask({400, 401}, "POST", login, body=json.dumps({"email": value, "password": "x"}))
        bench.ask({400, 401}, "POST", login, body=json.dumps({"email": "a@example.org", "password": value}))
    bench.ask({401}, "POST", login, body={"email": "nobody@example.org", "password": "replyx"})
    bench.ask({400}, "POST", login, body={"email": "nobody@example.org"})
    bench.ask({400}, "POST", login, body={"email": "nobody@example.org", "password": "x", "remember": True})
    bench.ask({400}, "POST", login + "?email=x", body={"email": "nobody@example.org", "password": "x"})
    bench.report("sign-in with values of another type")


def searches(bench):
    search = bench.path("/assistants/{a}/search")
    vector = [0.5] * 1536
    for embedding in ([], [1], [0.1] * 1535, [0.1] * 1537, [0.1] * 100000, [[0.1]] * 1536, ["a"] * 1536, [None] * 1536, [True] * 1536,
                      {}, "x", "[" + "1," * 1535 + "1]", 1, True, [1e300] * 1536):
        bench.ask({400}, "POST", search, bearer=bench.good, body=json.dumps({"embedding": embedding}))
    for text in ("NaN", "Infinity", "-Infinity", "1e999", "0x1", "+1", ".5", "1.", "01"):
        body = '{"embedding":[' + ",".join([text] + ["0.1"] * 1535) + "]}"
        bench.ask({400}, "POST", search, bearer=bench.good, body=body)
    for extra in ({"limit": 0}, {"limit": -1}, {"limit": 10**9}, {"limit": 2**31}, {"limit": 2**63}, {"limit": 1.5}, {"limit": "10"},
                  {"limit": [1]}, {"limit": True}, {"mode": "wrong"}, {"mode": ""}, {"mode": 1}, {"mode": ["fast"]}, {"mode": "FAST"},
                  {"text": 1}, {"text": []}, {"text": {}}, {"text": "\x00"}, {"text": "\ud800"}):
        bench.ask({400}, "POST", search, bearer=bench.good, body=json.dumps({"embedding": vector, **extra}))
    bench.ask({400}, "POST", search, bearer=bench.good, body={})
    bench.report("search with vectors of the wrong length or type, and limits and modes that are none")


def webhooks(bench):
    hook, secret = bench.path("/telegram/webhook/{b}"), bench.hook_header(bench.names["b"])
    good = secret["X-Telegram-Bot-Api-Secret-Token"]
    for given in (None, "", "wrong", HOOK_SECRET, good[:-1], good + "x", good.upper(), "\xff",
                  bench.hook_header(2147483647)["X-Telegram-Bot-Api-Secret-Token"]):
        headers = {} if given is None else {"X-Telegram-Bot-Api-Secret-Token": given}
        bench.ask({400, 401, 403}, "POST", hook, body={"update_id": 1, "message": {}}, headers=headers)
    for value in WRONG_TYPES:
        is_long = isinstance(value, str) and len(value) > HOOK_MOST
        bench.ask({413} if is_long else {200, 400} if value == 0 else {400}, "POST", hook, body=json.dumps({"update_id": value}),
                  headers=secret)
        bench.ask({413} if is_long else {200, 400}, "POST", hook, headers=secret, body=json.dumps(
            {"update_id": 7, "message": {"message_id": 1, "chat": value, "text": "x"}}))
    bench.ask({404}, "POST", "/telegram/webhook/2147483647", body={"update_id": 1}, headers=bench.hook_header(2147483647))
    bench.report("webhooks without the secret, or with updates that are none")


HOST = b"Host: 127.0.0.1\r\n"
CHUNKED = b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
# What proxies and servers have read in different ways. A good request follows each on the same connection: it must not be answered.
SMUGGLED = {
    "Content-Length and Transfer-Encoding": CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
    "the other way round": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two Content-Length": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "the same one twice": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list in Content-Length": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a sign in Content-Length": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: +2\r\n\r\n{}",
    "less than nothing": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: -2\r\n\r\n{}",
    "more than 2^64": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 18446744073709551618\r\n\r\n{}",
    "space before the colon": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length : 2\r\n\r\n{}",
    "a hidden Transfer-Encoding": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding with a tab": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /login HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk extension": CHUNKED + b"\r\n2;x=y\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": CHUNKED + b"\r\n-1\r\n{}\r\n0\r\n\r\n",
    "a huge chunk": CHUNKED + b"\r\nffffffffffffffff\r\n{}",
    "a chunk that ends by LF": CHUNKED + b"\r\n2\n{}\n0\n\n",
    "a chunk that is too short": CHUNKED + b"\r\n1\r\n{}\r\n0\r\n\r\n",
    "bare LF": b"GET /balance HTTP/1.1\nHost: 127.0.0.1\n\n",
    "bare CR": b"GET /balance HTTP/1.1\r\n" + HOST + b"A: b\rc\r\n\r\n",
    "a folded line": b"GET /balance HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n",
    "NUL in a header": b"GET /balance HTTP/1.1\r\n" + HOST + b"A: b\x00c\r\n\r\n",
    "NUL in the path": b"GET /bal\x00ance HTTP/1.1\r\n" + HOST + b"\r\n",
    "no Host": b"GET /balance HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /balance HTTP/1.1\r\n" + HOST + b"Host: example.org\r\n\r\n",
    "an absolute address": b"GET http://example.org/balance HTTP/1.1\r\n" + HOST + b"\r\n",
    "no header name": b"GET /balance HTTP/1.1\r\n" + HOST + b": x\r\n\r\n",
    "two spaces": b"GET  /balance HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /balance\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.7": b"GET /balance HTTP/3.7\r\n" + HOST + b"\r\n",
    "CONNECT": b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303") + bytes(160),
    "two Authorizations": b"GET /balance HTTP/1.1\r\n" + HOST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "a huge header": b"GET /balance HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 300000 + b"\r\n\r\n",
    "many headers": b"GET /balance HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 20000 + b"\r\n",
    "an expectation": b"POST /login HTTP/1.1\r\n" + HOST + b"Expect: miracles\r\nContent-Length: 2\r\n\r\n{}",
    "nothing but line ends": b"\r\n" * 5000,
    "noise": bytes(range(256)) * 20,
}


def smuggling(bench):
    following = b"GET /health/live HTTP/1.1\r\n" + HOST + b"X-Following: 1\r\n\r\n"
    for name, data in SMUGGLED.items():
        answers = parse_answers(bench.server.raw(data + following))
        first = answers[0] if answers else None
        # A connection that is closed without an answer is no harm where not even a request line came.
        if first is not None or name not in ("TLS", "noise", "nothing but line ends", "HTTP/2"):
            bench.expect(first, {400, 401, 405, 413, 414, 417, 431, 501, 505}, name)
        if len(answers) > 1:
            bench.wrong.append((name, "what follows was answered too", answers))
    bench.report("what proxies have read otherwise is refused, and ends the connection")


def slow_and_odd_clients(bench):
    """They hold their connections for seconds; meanwhile others are answered."""
    address = ("127.0.0.1", bench.server.port)
    dialogs = bench.plain("/dialogs?limit=100")
    with contextlib.ExitStack() as stack:
        def connect():
            return stack.enter_context(socket.create_connection(address, timeout=apitest.DEADLINE_S))

        heads = [connect() for _ in range(60)]
        for client in heads:
            client.sendall(b"GET /balance HTTP/1.1\r\nHost: 127.")
        slow_bodies = [connect() for _ in range(60)]
        for client in slow_bodies:
            client.sendall(b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\n{")
        silent = [connect() for _ in range(60)]
        deaf = [connect() for _ in range(8)]
        for client in deaf:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(0.2)
            with contextlib.suppress(OSError):
                client.sendall(dialogs * 2000)
        stopped = threading.Event()

        def drip():
            while not stopped.wait(0.2):
                for client in heads + slow_bodies:
                    with contextlib.suppress(OSError):
                        client.sendall(b"1")

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        statuses = [bench.server.get("/balance", bearer=bench.good).status for _ in range(50)]
        same(set(statuses), {200}, "others are answered while clients send slowly, say nothing, or do not read")
        for clients, name in ((heads, "heads that come slowly"), (slow_bodies, "bodies that come slowly"),
                              (silent, "clients that say nothing")):
            wait_until(f"the server ends {name}", lambda clients=clients: all(has_ended(client) for client in clients))
            check(True, f"the server ends {name}")
        stopped.set()
        dripping.join()
        for client in deaf:
            client.close()
    answers = parse_answers(bench.server.raw(dialogs, is_half_closed=True))
    same([answer.status for answer in answers], [200], "a client that has closed its side gets its answer")
    for part in (dialogs[:30], dialogs[:-2], b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n{"):
        answers = parse_answers(bench.server.raw(part, is_half_closed=True))
        bench.count += 1
        if [answer for answer in answers if answer.status < 400]:
            bench.wrong.append((part, answers))
    bench.report("half a request, and then the end")
    pipelined = b"".join(bench.plain(f"/dialogs?page={page}&limit=1") for page in range(1, 21))
    answers = parse_answers(bench.server.raw(pipelined + b"GET /health/live HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"))
    same([answer.json().get("page") for answer in answers[:-1]], list(range(1, 21)),
         "requests one after the other are answered in their order")


def has_ended(client):
    """Whether the server has closed the connection; what it said before is read."""
    client.settimeout(0.01)
    try:
        while client.recv(65536):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


def connection_limit(bench):
    """More connections than are allowed: the ones that are there go on, and afterwards all is as before."""
    with contextlib.ExitStack() as stack:
        same(bench.server.get("/health/live").status, 200, "before: alive")
        for _ in range(450):
            stack.enter_context(socket.create_connection(("127.0.0.1", bench.server.port), timeout=apitest.DEADLINE_S))
        check(bench.server.get("/balance", bearer=bench.good).status == 200, "a connection that is there goes on beyond the limit")
    wait_until("new connections are answered again", lambda: try_live(bench))
    check(True, "new connections are answered again")


def try_live(bench):
    bench.server.close()
    try:
        return bench.server.get("/health/live").status == 200
    except (OSError, apitest.http.client.HTTPException):
        return False


def is_whole(bench):
    """Nothing is under way or lent out."""
    found = bench.server.metrics()
    busy = [name for name, value in found.items()
            if name.startswith(("replyx_pool_busy", "replyx_pool_waiting")) and value > 0]
    under_way = sum(value for name, value in found.items() if name.startswith("replyx_requests_under_way"))
    return not busy and under_way <= 1  # the question itself


# Rows of the tables that requests could write to, and which of them were changed.
WRITTEN = " UNION ALL ".join(f"SELECT '{table}', count(*), sum(hashtext(t::text)::int8) FROM public.{table} AS t" for table in (
    "users", "assistants", "dialogs", "dialog_messages", "bot_instances", "user_knowledge", "balance_transactions"))


def run(base, bench):
    before = base.sql(WRITTEN)
    for part in (methods, paths, identity, bodies, searches, webhooks, smuggling, slow_and_odd_clients, connection_limit):
        began = time.monotonic()
        part(bench)
        print(f"# {part.__name__}: {time.monotonic() - began:.1f} s", flush=True)
        check(bench.server.process.poll() is None, f"the program is still there after: {part.__name__}", bench.server.logged()[-2000:])
    same(bench.server.get("/health/ready").status, 200, "it is ready")
    wait_until("the pool is whole", lambda: is_whole(bench))
    check(True, "no connection is lent out, nothing waits")
    answer = bench.server.get("/balance", bearer=bench.good)
    check(answer.status == 200 and "balance" in answer.json(), "a good request is answered", answer)
    same(base.sql(WRITTEN), before, "no row was written, changed or deleted")
    secrets = [name for name in (apitest.SECRET, HOOK_SECRET, bench.good) if name in bench.server.logged()]
    same(secrets, [], "no secret and no token is in the log")
    same(bench.server.stop(), 0, "it ends by SIGTERM with status 0")


def main():
    base = apitest.database("api_bad_input")
    with apitest.secret_file(HOOK_SECRET) as secret:
        run(base, Bench(base, secret))
    apitest.done()


if __name__ == "__main__":
    main()
