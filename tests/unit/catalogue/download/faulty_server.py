"""A server whose paths say what goes wrong: real sockets, on every loopback address."""

import gzip
import os
import socket
import struct
import threading
import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def picture(name: str, num_bytes: int = 2_000) -> bytes:
    """Return bytes that begin as a JPEG does; the fetcher looks no further."""
    return b"\xff\xd8\xff\xe0" + name.encode() + b"\0" * (num_bytes - 4 - len(name.encode()))


class FaultyServer(ThreadingHTTPServer):
    """Answers each path by the method of _Handler that the path begins with, and records the requests."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 0), _Handler)
        self.requests: list[tuple[str, float]] = []
        self.headers: list[dict[str, str]] = []
        self.reached_addresses: set[str] = set()
        self.num_connections = self.num_active = self.max_active = 0
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"

    def count(self, path: str) -> int:
        return sum(requested == path for requested, _ in self.requests)

    def handle_error(self, *_: object) -> None:  # clients that hang up are part of the tests
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FaultyServer

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.num_connections += 1
            self.server.reached_addresses.add(self.connection.getsockname()[0])

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.requests.append((self.path, time.monotonic()))
            self.server.headers.append(dict(self.headers))
            self.server.num_active += 1
            self.server.max_active = max(self.server.max_active, self.server.num_active)
        try:
            getattr(self, self.path.split("/")[1].split("?")[0])()
        finally:
            with self.server.lock:
                self.server.num_active -= 1

    def answer(self, body: bytes = b"", status: int = 200, num_bytes: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Type": "image/jpeg", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if num_bytes is None else num_bytes))
        self.end_headers()
        self.wfile.write(body)

    @property
    def is_first(self) -> bool:
        return self.server.count(self.path) == 1

    def ok(self) -> None:
        self.answer(picture(self.path))

    def big(self) -> None:
        self.answer(picture(self.path, 3_000_000))

    def same(self) -> None:
        self.answer(picture("same"))

    def slow(self) -> None:
        time.sleep(0.02)
        self.ok()

    def status(self) -> None:
        self.answer(b"sorry", int(self.path.split("/")[2]))

    def faulty_once(self) -> None:
        if self.is_first:
            self.answer(b"sorry", int(self.path.split("/")[2]))
        else:
            self.ok()

    def later(self) -> None:
        """Answer 429 with the time of the next try, as seconds or as a date."""
        if not self.is_first:
            self.ok()
        elif self.path.endswith("date"):
            until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
            self.answer(b"", 429, Retry_After=format_datetime(until, usegmt=True))
        else:
            self.answer(b"", 429, Retry_After=self.path.split("/")[2])

    def reset(self) -> None:
        """Break the connection within the body: the first time, or always."""
        if self.path.endswith("once") and not self.is_first:
            return self.ok()
        self.answer(picture(self.path)[:1000], num_bytes=2000)
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        return None

    def short(self) -> None:
        """End before Content-Length is reached."""
        self.answer(picture(self.path), num_bytes=3000)
        self.close_connection = True

    def stall(self) -> None:
        """Send nothing for longer than any client here waits."""
        if self.path.endswith("body"):
            self.answer(picture(self.path)[:1000], num_bytes=2000)
        self.server.stopped.wait(60)
        self.close_connection = True

    def drip(self) -> None:
        """Send a byte now and then, without an end."""
        self.answer(picture(self.path)[:4], num_bytes=2000)
        for _ in range(1200):
            self.wfile.write(b"\0")
            if self.server.stopped.wait(0.05):
                break
        self.close_connection = True

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(picture("", 10_000))

    def large(self) -> None:
        self.answer(picture("", 10), num_bytes=10**12)
        self.close_connection = True

    def loop(self) -> None:
        self.answer(b"", 302, Location=self.path + "x")

    def hop(self) -> None:
        """Redirect /hop/3 to /hop/2, and so on to /ok/hopped."""
        num_left = int(self.path.split("/")[2])
        self.answer(b"", 301, Location=f"{num_left - 1}" if num_left else "/ok/hopped")

    def to(self) -> None:
        self.answer(b"", 302, Location=self.path.split("?", 1)[1])

    def compressed(self) -> None:
        body = picture(self.path)
        if self.path.endswith("deflate"):
            self.answer(zlib.compress(body), Content_Encoding="deflate")
        elif self.path.endswith("bare"):
            self.answer(zlib.compress(body)[2:-4], Content_Encoding="deflate")
        elif self.path.endswith("not"):
            self.answer(body, Content_Encoding="gzip")
        elif self.path.endswith("cut"):
            self.answer(gzip.compress(os.urandom(3000))[:1000], Content_Encoding="gzip")
        else:
            self.answer(gzip.compress(body), Content_Encoding="gzip")

    def bomb(self) -> None:
        self.answer(gzip.compress(picture("", 30_000_000)), Content_Encoding="gzip")

    def text(self) -> None:
        kind = self.path.split("/")[2]
        bodies = {"html": b"\n<!DOCTYPE html><html>no</html>", "json": b'{"error": "no such key"}', "plain": b"gone"}
        self.answer(bodies[kind], Content_Type="text/html; charset=utf-8" if kind == "plain" else "image/jpeg")

    def named(self) -> None:
        """Answer with formats that the decoder knows, as if they were web pages."""
        comment = b"<!-- " + b"drawn by hand " * 100 + b"-->"
        bodies = {
            "svg": b"<?xml version='1.0'?>" + comment + b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "pdf": b"%PDF-1.7 and text",
            "avif": b"\0\0\0\x1cftypavif\0\0\0\0mif1miaf",
        }
        self.answer(bodies[self.path.split("/")[2]], Content_Type="text/html")

    def wrong_type(self) -> None:
        self.answer(picture(self.path), Content_Type="text/html")

    def cookie(self) -> None:
        self.answer(picture(self.path), Set_Cookie="a=b; Path=/")

    def encoded(self) -> None:
        """Claim a compression that the body does not have."""
        self.answer(b"\xfe\xff\xfd\xfc" * 100, Content_Encoding=self.path.split("/")[2])

    def unknown(self) -> None:
        self.answer(b"\0\1\2no text, and no format that is known")

    def sized(self) -> None:
        """Answer with the number of bytes that the path names, with or without Content-Length."""
        _, _, num_bytes, kind = self.path.split("/")
        body = picture(self.path, int(num_bytes))
        if kind == "announced":
            self.answer(body)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True
