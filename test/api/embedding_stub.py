"""An OpenAI-compatible embedding service that misbehaves on demand.

Usage: embedding_stub.py [PORT]      prints "listening on 127.0.0.1:PORT" and serves until it is ended

POST /v1/embeddings {"input", "model"} answers {"data": [{"embedding": [1536 numbers]}]}; the numbers come from the text
alone. As a module: Stub() serves in a thread; its mode says how it behaves:
    good      as above             garbage   200 and a body that is no JSON
    error     503                  short     3 numbers
    hang      does not answer      huge      a body that never ends being too large
    infinite  numbers too large    drop      closes the connection
"""
import hashlib
import http.server
import json
import struct
import sys
import threading

DIMENSIONS = 1536


def embedding(text, dimensions=DIMENSIONS):
    """Numbers of a direction that only the text decides; each of them is exact in four bytes."""
    found = []
    block = 0
    while len(found) < dimensions:
        digest = hashlib.sha256(f"{block} {text}".encode()).digest()
        found += [(number - 32768) / 65536 for number in struct.unpack("<16H", digest)]
        block += 1
    return found[:dimensions]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        stub = self.server.stub
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        with stub.lock:
            stub.requests.append((self.path, dict(self.headers), body))
        mode = stub.mode
        if mode == "hang":
            stub.released.wait(60)
        if mode in ("drop", "hang"):
            self.close_connection = True
            return
        asked = json.loads(body)
        good = {"object": "list", "model": asked["model"],
                "data": [{"object": "embedding", "index": 0, "embedding": embedding(asked["input"])}]}
        if mode == "short":
            good["data"][0]["embedding"] = [0.1, 0.2, 0.3]
        if mode == "infinite":
            good["data"][0]["embedding"][7] = 1e300
        if mode == "error":
            self.answer(503, b'{"error": {"message": "overloaded"}}')
        elif mode == "garbage":
            self.answer(200, b"<html>no, this is a proxy\x00\xff")
        elif mode == "huge":
            self.answer(200, b"[" + b"0.5," * 1000000 + b"0]")
        else:
            self.answer(200, json.dumps(good).encode())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # who asks does not wait for long


class Stub:
    def __init__(self, port=0):
        self.lock = threading.Lock()
        self.requests = []
        self.mode = "good"
        self.released = threading.Event()
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.stub = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1/embeddings"

    def count(self):
        with self.lock:
            return len(self.requests)

    def stop(self):
        """Nothing listens any more."""
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    served = Stub(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"listening on 127.0.0.1:{served.port}", flush=True)
    try:
        served.thread.join()
    except KeyboardInterrupt:
        served.stop()
