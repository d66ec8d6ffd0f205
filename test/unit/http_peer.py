#!/usr/bin/env python3
"""Servers for the tests of the HTTP client: HTTP, HTTPS and SMTP on ports of 127.0.0.1.

Usage: http_peer.py FOLDER
FOLDER gets key.pem and cert.pem, whose certificate is for "localhost". The first line on stdout
holds the ports: HTTP, HTTPS, SMTP, SMTP with STARTTLS. Ends when stdin does. Mails are read with
Python's own parser and told by GET /mails.
"""
import email
import email.policy
import http.server
import json
import socketserver
import ssl
import subprocess
import sys
import threading
import time

MAILS = []


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body, **headers):
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        words = self.path.strip("/").split("/")
        if words[0] == "later":
            self.send(int(words[1]), "later", Retry_After=" ".join(words[2:]).replace("%20", " "))
        elif words[0] == "in":
            when = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + int(words[1])))
            self.send(503, "later", Retry_After=when)
        elif words[0] == "redirect":
            self.send(302, "elsewhere", Location="/echo")
        elif words[0] == "mails":
            self.send(200, json.dumps(MAILS))
        elif words[0] == "big":
            self.send(200, b"x" * int(words[1]))
        elif words[0] == "silence":
            sys.stdin.read()
        elif words[0] == "half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            self.close_connection = True
        elif words[0] == "headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(100000):
                self.wfile.write(b"X-Header-%d: %s\r\n" % (number, b"y" * 80))
        elif words[0] == "garbage":
            self.wfile.write(b"\x00\x01 what?\r\n\r\n")
            self.close_connection = True
        else:
            told = {"method": self.command, "path": self.path, "body": body,
                    "headers": {name.lower(): value for name, value in self.headers.items()}}
            self.send(200, json.dumps(told))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer


class Mail(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def secure(self):
        self.say("220 go ahead")
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.rfile = self.request.makefile("rb")
        self.wfile = self.request.makefile("wb", 0)
        self.is_secure = True

    def take_data(self, sender, receivers):
        self.say("354 go ahead")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        MAILS.append({"sender": sender, "receivers": receivers, "secure": self.is_secure,
                      "user": self.user, "defects": [str(defect) for defect in mail.defects],
                      "longest": max(len(line) for line in lines),
                      "headers": {name.lower(): str(value) for name, value in mail.items()},
                      "body": mail.get_content()})
        self.say("250 taken")

    def handle(self):
        self.is_secure, self.user = False, None
        sender, receivers = None, []
        self.say("220 peer")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                self.say("250-peer")
                if self.server.context and not self.is_secure:
                    self.say("250-STARTTLS")
                self.say("250 AUTH PLAIN")
            elif verb == "STARTTLS" and self.server.context:
                self.secure()
            elif verb == "AUTH":
                self.say("334 ")
                self.user = self.rfile.readline().decode().strip()
                self.say("235 welcome")
            elif verb == "MAIL":
                sender = line
                self.say("250 ok")
            elif verb == "RCPT" and "nobody@" in line:
                self.say("550 there is no such person")
            elif verb == "RCPT" and "busy@" in line:
                self.say("451 try again later")
            elif verb == "RCPT":
                receivers.append(line)
                self.say("250 ok")
            elif verb == "DATA":
                self.take_data(sender, receivers)
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("500 what?")


def serve(server):
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # the tests break connections on purpose
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    folder = sys.argv[1]
    key, certificate = folder + "/key.pem", folder + "/cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web) for _ in range(2)]
    servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True)
    servers += [socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) for _ in range(2)]
    servers[2].context, servers[3].context = None, context
    print(*[serve(server) for server in servers], flush=True)
    sys.stdin.read()


main()
