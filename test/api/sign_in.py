"""Who is let in: passwords, JSON Web Tokens, API tokens, and what is done about those who guess.

Usage: sign_in.py      prints TAP
"""
import base64
import hashlib
import hmac
import json
import socket
import statistics
import subprocess
import threading
import time

import apitest
from apitest import SECRET, check, same, token, wait_until

PASSWORD = "replyx"  # of everybody whom replyx-data makes
ASKED = "/assistants"


def login(server, email, password):
    return server.post("/login", {"email": email, "password": password})


def claims_of(text):
    """What a token says, after Python has checked its signature."""
    signed, _, signature = text.rpartition(".")
    mac = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(mac).rstrip(b"=").decode() == signature
    payload = signed.partition(".")[2]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def is_refused(answer):
    """401 as RFC 6750 has it, with an error in JSON."""
    return (answer.status == 401 and answer.header("www-authenticate", "").startswith("Bearer")
            and answer.json()["error"]["kind"] == "identity")


def passwords(base, server, people):
    user, email = people[0]
    answer = login(server, email, PASSWORD)
    same((answer.status, sorted(answer.json()), answer.header("cache-control")), (200, ["token"], "no-store"),
         "the right password gets a token, which no cache keeps")
    claims = claims_of(answer.json()["token"])
    same((claims["sub"], claims["exp"] - claims["iat"]), (str(user), 3600), "it names the user and holds an hour")
    check(abs(claims["iat"] - time.time()) < 60, "from now on", claims)
    mine = server.get(ASKED, bearer=answer.json()["token"])
    same((mine.status, mine.body), (200, server.get(ASKED, user).body), "with it the user gets what is his")
    wrong = login(server, email, PASSWORD + "x")
    unknown = login(server, "nobody@example.com", PASSWORD)
    check(is_refused(wrong), "a wrong password is refused", wrong)
    same((unknown.status, unknown.body), (wrong.status, wrong.body), "an unknown address gets the same answer")
    for odd in ("", "x" * 600):
        same(login(server, email, odd).status, 400, f"a password of {len(odd)} bytes is none")
    same(server.post("/login", {"email": email}).status, 400, "nor is a missing one")
    check(is_refused(login(server, email.upper(), PASSWORD)), "addresses are compared as they are stored")
    check(is_refused(login(server, email + "' OR '1'='1", PASSWORD)), "no SQL in an address")


def kinds_of_hashes(base, server, people):
    """Hashes by another program than libcrypt, and texts that are none."""
    user, email = people[1]
    made = subprocess.run(["openssl", "passwd", "-6", "-salt", "abcdefgh", "-stdin"], input="пароль 🙂\n",
                          capture_output=True, text=True, check=True).stdout.strip()
    base.sql(f"UPDATE public.users SET hashed_password = '{made}' WHERE id = {user}")
    same(login(server, email, "пароль 🙂").status, 200, "a hash of openssl passwd -6, and a password that is not ASCII")
    for odd in ("", "!", "*0", "*", "x", "$", "$2b$10$short", PASSWORD, "$2b$99$" + "a" * 53):
        base.sql(f"UPDATE public.users SET hashed_password = '{odd}' WHERE id = {user}")
        answer = login(server, email, odd or PASSWORD)
        check(answer.status == 401, f'what is no hash ("{odd[:12]}") lets nobody in', answer)
    same(login(server, people[5][1], PASSWORD).status, 200, "while others sign in")
    base.sql(f"UPDATE public.users SET status = 'blocked' WHERE id = {people[2][0]}")
    blocked = login(server, people[2][1], PASSWORD)
    same((blocked.status, blocked.json()["error"]["kind"]), (403, "rights"), "a blocked user is told so")
    same(login(server, people[2][1], "wrong").status, 401, "but only when he knows the password")


def takes_as_long(server, people):
    """An address that nobody has costs a hash too; without it the answer would come many times sooner."""
    known, unknown = [], []
    for i in range(5):
        for times, email in ((known, people[3][1]), (unknown, f"nobody{i}@example.com")):
            begin = time.monotonic()
            same(login(server, email, "wrong").status, 401, "refused")
            times.append(time.monotonic() - begin)
    check(statistics.median(unknown) > statistics.median(known) / 4, "an unknown address takes as long as a known one",
          (known, unknown))


def guessing(server, people):
    email = people[4][1]
    found = [login(server, email, f"guess {i}") for i in range(12)]
    same([answer.status for answer in found], [401] * 10 + [429] * 2, "after ten wrong passwords an account is closed")
    last = found[-1]
    check(1 <= int(last.header("retry-after")) <= 30, "for a while, which is told", last)
    same(last.json()["error"]["kind"], "limit", "with an error in JSON")
    same(login(server, email, PASSWORD).status, 429, "for the right one too")
    same(login(server, people[5][1], PASSWORD).status, 200, "another account is open")
    same([login(server, people[5][1], PASSWORD).status for _ in range(11)], [200] * 11, "who signs in well may do it often")


def many_at_once(server, people):
    """More than are computed at a time wait for each other."""
    found = []

    def sign_in(email):
        found.append(login(server, email, PASSWORD).status)
        server.close()

    threads = [threading.Thread(target=sign_in, args=(people[6 + i % 4][1],)) for i in range(12)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        same(server.get("/health/live").status, 200, "the loop never waits for a hash")
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    same(found, [200] * 12, "twelve at once get in")


def who_hangs_up(server, people):
    body = json.dumps({"email": people[7][1], "password": PASSWORD}).encode()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    wait_until("nothing is left of those who hung up",
               lambda: server.metrics()['replyx_requests_under_way{worker="0"}'] == 0)
    same(login(server, people[8][1], PASSWORD).status, 200, "after twenty who hung up others sign in")


def json_web_tokens(server, user):
    good = token(user)
    same(server.get(ASKED, bearer=good).status, 200, "a token made by Python is taken")
    head, payload, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for name, bad in (("no algorithm", f"{none}.{payload}."), ("no signature", f"{head}.{payload}."),
                      ("another secret", token(user, secret="another secret, which is long as well")),
                      ("an asymmetric algorithm", token(user, header={"alg": "RS256", "typ": "JWT"})),
                      ("an expired one", token(user, life_s=-1)),
                      ("one of tomorrow", token(user, nbf=int(time.time()) + 86400)),
                      ("no user", token("")), ("a user with a sign", token("+1")),
                      ("a changed payload", f"{head}.{token(user + 1).split('.')[1]}.{signature}"),
                      ("half of it", good[:40]), ("nothing", ""), ("a number", str(user)), ("a long one", "a" * 5000)):
        answer = server.get(ASKED, bearer=bad)
        check(is_refused(answer), f"refused: {name}", answer)
    for name, header in (("none at all", {}), ("another scheme", {"Authorization": "Basic " + good}),
                         ("a cookie", {"Cookie": "token=" + good})):
        check(is_refused(server.get(ASKED, headers=header)), f"refused: {name}")
    same(server.get(f"{ASKED}?token={good}").status, 401, "a token in the address is not listened to")
    brief = token(user, life_s=3)
    same(server.get(ASKED, bearer=brief).status, 200, "a token for three seconds is taken")
    wait_until("a token that was taken is refused after its end",
               lambda: is_refused(server.get(ASKED, bearer=brief)))
    same(server.get(ASKED, headers={"Authorization": "bearer " + good}).status, 200, "the scheme in small letters")


def api_tokens(base, server, user, other):
    made = base.value(f"SELECT replyx_api.create_token({user}, 'of the test')")
    check(made.startswith("rx_") and len(made) == 67, "an API token", made)
    same(base.value("SELECT count(*) FROM replyx_api.api_token AS t WHERE t::text LIKE '%" + made[3:] + "%'"), "0",
         "it is kept nowhere")
    same(base.value(f"SELECT encode(digest, 'hex') = '{hashlib.sha256(made.encode()).hexdigest()}'"
                    " FROM replyx_api.api_token ORDER BY id DESC LIMIT 1"), "t", "but as a digest")
    first = server.get(ASKED, bearer=made)
    second = server.get(ASKED, bearer=made)
    same((first.status, first.body), (200, server.get(ASKED, user).body), "it gets what is its user's")
    same(int(first.header("x-query-count")) - int(second.header("x-query-count")), 1,
         "the database is asked about it once")
    check(is_refused(server.get(ASKED, bearer="rx_" + "0" * 64)), "an unknown one is refused")
    check(is_refused(server.get(ASKED, bearer=made.upper())), "so is one in capitals")
    check(is_refused(server.get(ASKED, bearer=hashlib.sha256(made.encode()).hexdigest())), "so is the digest")
    same(base.value(f"SELECT replyx_api.revoke_token('{made}')"), "t", "it is revoked")
    wait_until("a revoked one is refused soon", lambda: is_refused(server.get(ASKED, bearer=made)))
    check(True, "a revoked one is refused soon")
    expired = base.value(f"SELECT replyx_api.create_token({user}, 'old', interval '-1 second')")
    check(is_refused(server.get(ASKED, bearer=expired)), "an expired one is refused")
    blocked = base.value(f"SELECT replyx_api.create_token({other}, 'of a blocked user')")
    base.sql(f"UPDATE public.users SET status = 'blocked' WHERE id = {other}")
    check(is_refused(server.get(ASKED, bearer=blocked)), "so is that of a blocked user")


def blocked_later(base, server, user):
    """A token that is good until its end is not, once its user is blocked or gone: five seconds are remembered."""
    made = base.value(f"SELECT replyx_api.create_token({user}, 'of who is blocked later')")
    bearers = {"a JWT": token(user), "an API token": made}
    for name, bearer in bearers.items():
        same(server.get(ASKED, bearer=bearer).status, 200, f"{name} is good")
    base.sql(f"UPDATE public.users SET status = 'blocked' WHERE id = {user}")
    for name, bearer in bearers.items():
        wait_until(f"{name} of a user who was blocked is refused", lambda bearer=bearer: is_refused(server.get(ASKED, bearer=bearer)))
        check(is_refused(server.post("/assistants/1/search", {"text": "x"}, bearer=bearer)), f"{name} is refused on other routes", name)
    base.sql(f"UPDATE public.users SET status = 'active' WHERE id = {user}")
    for name, bearer in bearers.items():
        wait_until(f"{name} is good again", lambda bearer=bearer: server.get(ASKED, bearer=bearer).status == 200)
    same(server.get(ASKED, bearer=token(2147483647)).status, 401, "nor is a token good of a user whom there is not")
    naive = apitest.Server(base, "naive")
    same([naive.get(ASKED, bearer=token(2147483647)).status for _ in range(3)], [401] * 3, "in no variant")
    same(naive.get(ASKED, user).status, 200, "while others go on")
    naive.stop()


def behind_a_proxy(base, email):
    """Many wrong passwords at many accounts, from one address that a proxy names, and from others."""
    server = apitest.Server(base, "optimised")
    # What an unknown address costs is what was seen of a user: a hash that takes little time.
    made = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input="quick\n", capture_output=True, text=True, check=True)
    base.sql(f"UPDATE public.users SET hashed_password = '{made.stdout.strip()}' WHERE email = '{email}'")
    same(login(server, email, "quick").status, 200, "a user signs in")

    def guess(first, count, headers):
        return [server.request("POST", "/login", body={"email": f"guess{first + i}@example.com", "password": "wrong"},
                               headers=headers).status for i in range(count)]

    same(set(guess(0, 110, {})), {401}, "a proxy that names nobody is not counted: who is behind it is not locked out")
    stranger = {"X-Forwarded-For": "9.9.9.9, 8.8.4.4"}
    found = guess(200, 140, stranger)
    check(found[:100] == [401] * 100 and 429 in found[100:], "an address that a proxy names may be wrong a hundred times", found)
    check(429 in guess(400, 10, {"X-Forwarded-For": "1.2.3.4, 8.8.4.4, 10.0.0.1"}), "whatever it says of itself, and through two proxies")
    same(set(guess(500, 5, {"X-Forwarded-For": "8.8.4.5"})), {401}, "another address goes on")
    guess(600, 140, {"X-Forwarded-For": "2600:1:2:3::1"})
    check(429 in guess(800, 10, {"X-Forwarded-For": "[2600:1:2:3:ffff::9]:77"}), "of IPv6 a network of 64 bits is one")
    same(set(guess(900, 5, {"X-Forwarded-For": "2600:1:2:4::1"})), {401}, "the next network is another")
    for odd in ("", ",", "unknown", "8.8.4.4, unknown", "x" * 3000, ", ," * 50):
        same(set(guess(1000 + len(odd) * 3, 2, {"X-Forwarded-For": odd})), {401}, f"an odd list is no address: {odd[:20]!r}")
    server.stop()


def installing(base):
    """What replyx/api/install says when it cannot do what it is asked for."""
    def install(*arguments):
        return subprocess.run([str(apitest.ROOT / "replyx/api/install"), *arguments], capture_output=True, text=True, check=False)

    option, more, nothing = install("-x"), install(f"dbname={base.name}", "extra"), install("dbname=template1")
    check(option.returncode == 2 and 'no option "-x"' in option.stderr, "install: an option that there is not is none of psql's", option)
    check(more.returncode == 2 and '"extra"' in more.stderr, "install: a second argument is not ignored", more)
    check(nothing.returncode == 1 and "alembic" in nothing.stderr and "nothing was done" in nothing.stderr,
          "install: without the application's tables it says what makes them", nothing)
    same(install(f"dbname={base.name}").returncode, 0, "install: again does no harm")


def settings(base, user):
    """The ways in that a setting opens or closes."""
    server = apitest.Server(base, "optimised", is_trusting=True)
    same((server.get(ASKED, bearer=str(user)).status, server.get(ASKED, bearer="0").status,
          server.get(ASKED, bearer="2147483648").status), (200, 401, 401), "with trust_user_header a number is enough")
    server.stop()
    result = subprocess.run([apitest.program("REPLYX_API"), "--listen", f"0.0.0.0:{apitest.free_port()}", "--db-url",
                             base.url(), "--trust-user-header"], capture_output=True, text=True, timeout=60, check=False)
    check(result.returncode != 0 and "loopback" in result.stderr, "but never on an address that others reach", result)


def main():
    base = apitest.database("sign_in")
    people = [(int(row["id"]), row["email"]) for row in base.rows(
        "SELECT id, email FROM public.users WHERE status = 'active' ORDER BY id LIMIT 12")]
    server = apitest.Server(base, "optimised")
    user = people[0][0]
    passwords(base, server, people)
    kinds_of_hashes(base, server, people)
    takes_as_long(server, people)
    guessing(server, people)
    many_at_once(server, people)
    who_hangs_up(server, people)
    json_web_tokens(server, user)
    api_tokens(base, server, user, people[10][0])
    blocked_later(base, server, people[9][0])
    behind_a_proxy(base, people[8][1])
    installing(base)
    said = server.logged()
    server.stop()
    check(not any(secret in said for secret in (SECRET, "пароль", "guess 1", "rx_0", "$2b$", "eyJ")),
          "the log has no secrets", said)
    settings(base, user)
    apitest.done()


if __name__ == "__main__":
    main()
