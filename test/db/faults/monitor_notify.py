"""Sends test alerts to sinks that answer, refuse, hang, lie and cut off.

Usage: monitor_notify.py      prints TAP

The servers are bare sockets here, and mails are read by Python's own parser. Needs PGMEND, the program.
"""
import email
import email.policy
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

PGMEND = os.environ["PGMEND"]
CANARY = "canary-5ecret-41"
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="pgmend-notify-"))
done = 0
failures = 0


def check(good, name, found=""):
    global done, failures
    done += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {done} - {name}")
    if not good:
        print("# " + str(found).replace("\n", "\n# "))


class Server:
    """Listens on a free port; talk(server, connection) is called for each connection, in a thread."""

    def __init__(self, talk, tls=None):
        self.talk, self.tls, self.heard = talk, tls, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self.talk(self, connection)
        except OSError:
            pass
        finally:
            connection.close()


def read_http(server, connection):
    data = b""
    while b"\r\n\r\n" not in data:
        got = connection.recv(65536)
        if not got:
            return None
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    server.heard.append((head.decode(), body.decode()))
    return body


def http(answer, tls=None):
    def talk(server, connection):
        if read_http(server, connection) is not None:
            connection.sendall(answer)
    return Server(talk, tls)


def hangs(server, connection):
    read_http(server, connection)
    time.sleep(60)


def endless(server, connection):
    read_http(server, connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def smtp(replies):
    """A mail server; replies are what it says to a command instead of 250."""
    def talk(server, connection):
        stream = connection.makefile("rwb")

        def say(text):
            stream.write(text.encode() + b"\r\n")
            stream.flush()
        say(replies.get("hello", "220 test"))
        commands, mail = [], b""
        while True:
            line = stream.readline()
            if not line:
                break
            command = line.decode().strip()
            commands.append(command)
            word = command.split(":")[0].split(" ")[0].upper()
            if word == "DATA" and word not in replies:
                say("354 go on")
                while True:
                    line = stream.readline()
                    if line in (b".\r\n", b""):
                        break
                    mail += line[1:] if line.startswith(b".") else line
                say(replies.get("end", "250 taken"))
                server.heard.append((commands, mail))
            elif word == "QUIT":
                say("221 bye")
                break
            elif word == "AUTH":
                say("235 fine")
            elif word == "EHLO":
                say("250-test\r\n250 AUTH PLAIN" if replies.get("auth") else "250 test")
            else:
                say(replies.get(word, "250 fine"))
        stream.close()
    return Server(talk)


def program(name, text, shell="/bin/sh"):
    path = FOLDER / name
    path.write_text(f"#!{shell}\n{text}")
    path.chmod(0o700)
    return path


def secret(name, text):
    path = FOLDER / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def write_setup(name, sinks):
    path = FOLDER / name
    text = ""
    for sink, members in sinks.items():
        text += f"[sink {sink}]\n" + "".join(f"{key} = {value}\n" for key, value in members.items()) + "\n"
    path.write_text(text)
    path.chmod(0o600)
    return path


def visible_arguments(pid):
    """What ps shows of the process and all that it started."""
    found = b""
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(entry.name) == pid or int(stat[1]) == pid:
                    found += (entry / "cmdline").read_bytes()
            except OSError:
                pass
    return found


def run(*arguments):
    with subprocess.Popen([PGMEND, "monitor", "test-alert", *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=FOLDER) as process:
        seen = b""
        texts = []
        reader = threading.Thread(target=lambda: texts.extend(process.communicate(timeout=120)))
        reader.start()
        while reader.is_alive():
            seen += visible_arguments(process.pid)
            reader.join(0.3)
        return process.returncode, texts[0], texts[1], seen


def own_certificate():
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", FOLDER / "key", "-out", FOLDER / "cert"],
                   check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(FOLDER / "cert", FOLDER / "key")
    return tls


def url(server, path="/hook", scheme="http", host="127.0.0.1"):
    return f"{scheme}://{host}:{server.port}{path}"


ok = http(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
telegram = http(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"ok":true,"result":{}}')
mail = smtp({})
token = secret("token", CANARY)
never = http(b"HTTP/1.1 200 OK\r\n\r\n")


def webhook(server, **more):
    return {"kind": "webhook", "url": url(server), "allow_private": "on", **more}


good_sinks = {
    "hook": webhook(ok, token_file=token),
    "chat": {"kind": "slack", "allow_private": "on",
             "url_file": secret("slack", url(ok, f"/services/T0/B0/{CANARY}"))},
    "phone": {"kind": "telegram", "url": url(telegram, ""), "token_file": token, "to": "-100123", "allow_private": "on"},
    "post": {"kind": "mail", "url": url(mail, "", "smtp"), "from": "pgmend@example.org",
             "to": "a@example.org, b@example.org", "allow_private": "on"},
    "script": {"kind": "program", "program": program("script", f"cat >{FOLDER}/said; echo $# >{FOLDER}/count\n")},
}


def test_good():
    status, out, err, seen = run("--setup", write_setup("good.ini", good_sinks), "--verbose")
    check(status == 0, "all sinks take the test: exit status 0", (status, out, err))
    for sink in good_sinks:
        check(any(line.startswith("ok") and f" {sink} (" in line for line in out.splitlines()), f"{sink} is told to be well", out)
    check(CANARY not in out + err and CANARY.encode() not in seen, "no secret is shown, not by ps either", out + err)

    heads = [head for head, _ in ok.heard]
    check(any(f"authorization: bearer {CANARY}" in head.lower() for head in heads), "the webhook's token is in its header", heads)
    documents = [json.loads(body) for head, body in ok.heard if head.startswith("POST /hook")]
    check(len(documents) == 1 and documents[0]["version"] == "4" and documents[0]["status"] == "firing"
          and documents[0]["alerts"][0]["labels"]["alertname"] == "test", "the webhook gets a document of Alertmanager", documents)
    blocks = [json.loads(body) for head, body in ok.heard if "/services/" in head]
    check(len(blocks) == 1 and blocks[0]["text"].startswith("[TEST]") and blocks[0]["blocks"], "Slack gets blocks", blocks)
    head, body = telegram.heard[0]
    check(head.startswith(f"POST /bot{CANARY}/sendMessage ") and json.loads(body)["chat_id"] == "-100123"
          and "parse_mode" not in json.loads(body), "Telegram gets a plain message for the chat", (head, body))

    commands, text = mail.heard[0]
    message = email.message_from_bytes(text, policy=email.policy.default)
    check("MAIL FROM:<pgmend@example.org>" in [c.split(" SIZE")[0] for c in commands]
          and {"RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>"} <= set(commands), "the mail goes to both", commands)
    check(message["Subject"].startswith("[TEST]") and "a@example.org" in message["To"] and message["Date"]
          and message["Message-ID"] and message["Auto-Submitted"] == "auto-generated", "the mail has its headers", text)
    check("value: 1 (threshold 0)" in message.get_content() and not message.defects, "the mail has its text", text)
    check(json.loads((FOLDER / "said").read_text())["receiver"] == "script" and (FOLDER / "count").read_text() == "0\n",
          "the program gets the document on its standard input, and no arguments")
    check(not list(FOLDER.glob("pgmend*alert*")), "no file of it is left")

    status, out, err, _ = run("--setup", FOLDER / "good.ini", "--sink", "chat", "--json")
    answer = json.loads(out)
    check(status == 0 and [sink["name"] for sink in answer["sinks"]] == ["chat"] and answer["is_good"],
          "--sink and --json", (status, out, err))
    status, out, err, _ = run("--setup", FOLDER / "good.ini", "--sink", "cat")
    check(status == 1 and "no sink" in err and "chat" in err, "a sink that is not there is an error with those that are",
          (status, out, err))
    status, out, err, _ = run("--setup", write_setup("none.ini", {}))
    check(status == 2 and "no sinks" in err, "a setup without sinks is an error", (status, out, err))


def answers_of(out):
    return {sink["name"]: sink for sink in json.loads(out)["sinks"]}


def test_bad():
    tls = own_certificate()
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    sinks = {
        "later": (webhook(http(b"HTTP/1.1 429 No\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n")), "asks to wait 30"),
        "oops": (webhook(http(b"HTTP/1.1 500 Oops\r\n\r\nit \x1b[31mbroke\nbadly " + CANARY.encode()), token_file=token),
                 "500: it  [31mbroke badly …"),
        "moved": (webhook(http(f"HTTP/1.1 302 Found\r\nLocation: {url(never)}\r\n\r\n".encode())), "not followed"),
        "cut": (webhook(http(b"")), ""),
        "half": (webhook(http(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")), ""),
        "lies": (webhook(http(b"\x00\xff nothing of HTTP\r\n\r\n")), ""),
        "hangs": (webhook(Server(hangs)), "no answer within 10"),
        "endless": (webhook(Server(endless)), "longer than"),
        "closed": (webhook(ok, url=f"http://127.0.0.1:{port}/"), ""),
        "forged": (webhook(ok, url=url(http(b"HTTP/1.1 200 OK\r\n\r\n", tls), scheme="https")), "certificate"),
        "private": ({"kind": "webhook", "url": url(never)}, "private"),
        "decimal": ({"kind": "webhook", "url": url(never, host="2130706433")}, "private"),
        "mapped": ({"kind": "webhook", "url": url(never, host="[::ffff:127.0.0.1]")}, "private"),
        "named": ({"kind": "webhook", "url": url(never, host="localhost")}, "private"),
        "unknown-user": (dict(good_sinks["post"], url=url(smtp({"RCPT": "550 no such user"}), "", "smtp")), "550"),
        "greylisted": (dict(good_sinks["post"], url=url(smtp({"DATA": "451 try later"}), "", "smtp")), "451"),
        "mail-cut": (dict(good_sinks["post"], url=url(http(b""), "", "smtp")), ""),
        "plain-login": (dict(good_sinks["post"], url=url(smtp({"auth": True}), "", "smtp"), user="me", token_file=token), ""),
        "fails": ({"kind": "program", "program": program("fails", "echo one >&2; echo two >&2; exit 7\n")}, "exit status 7: two"),
        "missing": ({"kind": "program", "program": program("missing", "", FOLDER / "nothing")}, "could not start"),
        "killed": ({"kind": "program", "program": program("killed", "kill -9 $$\n")}, "killed by signal 9"),
        "stuck": ({"kind": "program", "program": program("stuck", "trap '' TERM\nsleep 300 &\nwait\nwait\n")}, "longer than 30"),
        "noisy": ({"kind": "program", "program": program("noisy", "exec yes >&2\n")}, "too much"),
    }
    setup = write_setup("bad.ini", {name: members for name, (members, _) in sinks.items()})
    start = time.monotonic()
    status, out, err, seen = run("--setup", setup, "--json")
    took = time.monotonic() - start
    check(status == 1, "sinks that take nothing: exit status 1", (status, out, err))
    answers = answers_of(out)
    for name, (_, wanted) in sinks.items():
        answer = answers[name]["last_answer"]
        check(not answers[name]["is_good"] and answer and wanted in answer and "\x1b" not in answer and "\n" not in answer,
              f"{name}: {wanted or 'an error'}", answers[name])
    check(not never.heard, "neither a redirect nor a private address was asked", never.heard)
    check(took < 90, "all at once, and none for ever", took)
    check(CANARY not in out + err and CANARY.encode() not in seen, "no secret is shown", out + err)
    left = subprocess.run(["pgrep", "-f", str(FOLDER)], capture_output=True, text=True, check=False).stdout
    check(not left, "no program is left", left)


def test_interrupted():
    """Who ends it while a sink hangs gets what there is, and the status of the signal."""
    asked = threading.Event()

    def talk(server, connection):
        read_http(server, connection)
        asked.set()
        time.sleep(60)

    taken = Server(lambda server, connection: read_http(server, connection) is not None
                   and connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    setup = write_setup("interrupted.ini", {"hanging": webhook(Server(talk)), "taking": webhook(taken)})
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        asked.clear()
        with subprocess.Popen([PGMEND, "monitor", "test-alert", "--setup", setup], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=FOLDER) as process:
            check(asked.wait(60), "a sink was asked and hangs")
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        check(process.returncode == status, f"{number.name}: exit status {status}", (process.returncode, out, err))
        check("hanging (webhook): no answer yet, interrupted" in out, "the sink without an answer is named", out)


try:
    test_good()
    test_bad()
    test_interrupted()
finally:
    shutil.rmtree(FOLDER)
    print(f"1..{done}")
raise SystemExit(1 if failures else 0)
