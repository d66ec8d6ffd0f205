"""An HTTP server that does what servers do on bad days. As a module: Server() serves in a thread.

Usage: bad_server.py [PORT]      prints "listening on 127.0.0.1:PORT" and serves until it is ended

The first part of the path says how a request is answered:
    good            200 with Content-Length          slow        one byte at a time
    chunked         with chunks and a trailer        early       100 and 103 before the answer
    close           200 with Connection: close       fifth       closes without a word after each fifth answer
    huge            8 MB of body                     http10      HTTP/1.0, the body ends with the connection
    error           500                              busy        503
    limit           429                              empty       204
    reset           the connection is reset          cut         closes in the middle of the body
    hang            never answers                    silent      closes without an answer
    garbage         no HTTP at all                   double      two Content-Lengths that differ
    header          a header line that never ends    status      a status that is no number
    size            a chunk size that is no number   more        bytes after the answer
"""
import asyncio
import collections
import socket
import struct
import sys
import threading

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
HUGE = 8 << 20
# What is sent as it stands; the connection stays.
PLAIN = {
    "good": GOOD,
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
               b"5;name=value\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 6\r\n\r\n",
    "early": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + GOOD,
    "error": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nsorry",
    "busy": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    "limit": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
    "empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "garbage": b"\x00\x01\x1b[31mthis is no HTTP\r\n\r\n" * 3,
    "double": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "header": b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100000,
    "status": b"HTTP/1.1 2oo OK\r\nContent-Length: 5\r\n\r\nhello",
    "size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "more": GOOD + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
}
# After these bytes the server closes.
CLOSING = {
    "close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    "http10": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello",
    "silent": b"",
}


class Server:
    def __init__(self, port=0):
        self.port = port
        self.requests = collections.Counter()  # by the first part of the path
        self.answered = 0  # on the way that is being served, by connection, for "fifth"
        self.writers = set()
        self.loop = asyncio.new_event_loop()
        self.listener = None
        self.call(self.listen)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def call(self, work):
        """Does it in the loop's thread, and waits until it is done."""
        if not self.loop.is_running():
            return self.loop.run_until_complete(work())
        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(30)

    async def listen(self):
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=1024)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def go_away(self):
        """Nothing listens any more, and whoever is connected is reset."""
        self.listener.close()
        for writer in list(self.writers):
            reset(writer)

    def stop(self):
        self.call(self.go_away)

    def start(self):
        self.call(self.listen)

    async def serve(self, reader, writer):
        self.writers.add(writer)
        try:
            count = 0
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                mode = head.split(b" ", 2)[1].decode("latin-1").split("/")[1]
                self.requests[mode] += 1
                count += 1
                if not await self.answer(mode, count, writer):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def answer(self, mode, count, writer):
        """Whether the connection stays."""
        if mode == "reset":
            reset(writer)
            return False
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode in CLOSING:
            writer.write(CLOSING[mode])
            return False
        if mode == "slow":
            for byte in GOOD:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.001)
                if writer.is_closing():
                    return False
            return True
        if mode == "huge":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE + b"x" * HUGE)
            await writer.drain()
            return True
        writer.write(PLAIN.get(mode, GOOD))
        return mode != "fifth" or count < 5


def reset(writer):
    """Closed with what is on its way thrown away, which the other side sees as a reset."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def main():
    server = Server(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"listening on 127.0.0.1:{server.port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
