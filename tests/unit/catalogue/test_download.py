"""Pictures are fetched once, past faults that pass; hostile hosts are refused by a reason; broken runs go on."""

import gzip
import hashlib
import os
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from etalage.catalogue import download
from etalage.catalogue.download import Failed, Fetched, fetch, is_public
from etalage.config import PrepareConfig

MAX_BYTES = 100_000
Result = Fetched | Failed
Fetch = Callable[..., list[Result]]


def picture(name: str, num_bytes: int = 2_000) -> bytes:
    """Begins as a JPEG does; the fetcher looks no further."""
    return b"\xff\xd8\xff\xe0" + name.encode() + b"\0" * (num_bytes - 4 - len(name.encode()))


class FaultyServer(ThreadingHTTPServer):
    """What its paths begin with says what goes wrong: real sockets, on every loopback address."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 0), _Faults)
        self.asked: list[tuple[str, float]] = []
        self.headers: list[dict[str, str]] = []
        self.reached_at: set[str] = set()
        self.num_connections = self.num_active = self.most_active = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def handle_error(self, *_: object) -> None:  # clients that hang up are what we test
        pass


class _Faults(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FaultyServer

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.num_connections += 1
            self.server.reached_at.add(self.connection.getsockname()[0])

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.asked.append((self.path, time.monotonic()))
            self.server.headers.append(dict(self.headers))
            self.server.num_active += 1
            self.server.most_active = max(self.server.most_active, self.server.num_active)
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
        """429 that names its time, as seconds or as a date."""
        if not self.is_first:
            self.ok()
        elif self.path.endswith("date"):
            until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
            self.answer(b"", 429, Retry_After=format_datetime(until, usegmt=True))
        else:
            self.answer(b"", 429, Retry_After=self.path.split("/")[2])

    def reset(self) -> None:
        """The connection breaks within the body: the first time, or always."""
        if self.path.endswith("once") and not self.is_first:
            return self.ok()
        self.answer(picture(self.path)[:1000], num_bytes=2000)
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        return None

    def short(self) -> None:
        """Ends before its Content-Length is through."""
        self.answer(picture(self.path), num_bytes=3000)
        self.close_connection = True

    def stall(self) -> None:
        """Silent for longer than any client here waits."""
        if self.path.endswith("body"):
            self.answer(picture(self.path)[:1000], num_bytes=2000)
        self.server.ended.wait(60)
        self.close_connection = True

    def drip(self) -> None:
        """Never silent for long, never through."""
        self.answer(picture(self.path)[:4], num_bytes=2000)
        for _ in range(1200):
            self.wfile.write(b"\0")
            if self.server.ended.wait(0.05):
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
        """/hop/3 leads to /hop/2, and so on to /ok/hopped."""
        left = int(self.path.split("/")[2])
        self.answer(b"", 301, Location=f"{left - 1}" if left else "/ok/hopped")

    def to(self) -> None:
        self.answer(b"", 302, Location=self.path.split("?", 1)[1])

    def packed(self) -> None:
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

    def mislabelled(self) -> None:
        self.answer(picture(self.path), Content_Type="text/html")

    def cookie(self) -> None:
        self.answer(picture(self.path), Set_Cookie="a=b; Path=/")


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.ended.set()
        server.shutdown()
        thread.join()


def make_config(**overrides: object) -> PrepareConfig:
    own = {"allow_private": True, "max_image_bytes": MAX_BYTES, "num_tries": 3, **overrides}
    return PrepareConfig("table.csv", Path("out"), **own)  # type: ignore[arg-type]


@pytest.fixture
def get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """Fetch into one store, with overrides of the configuration; results in the order of the URLs."""
    monkeypatch.setattr(download, "BACKOFF_S", 0.02)

    def get(urls: list[str], **overrides: object) -> list[Result]:
        results = list(fetch(urls, tmp_path / "store", make_config(**overrides)))
        assert sorted(result.url for result in results) == sorted(urls)
        return sorted(results, key=lambda result: urls.index(result.url))

    return get


def reasons(results: list[Result]) -> list[str]:
    return [result.reason if isinstance(result, Failed) else "" for result in results]


def test_pictures_lie_in_the_store_by_content(server: FaultyServer, get: Fetch, tmp_path: Path) -> None:
    for result, name in zip(get([server.url("/ok/1"), server.url("/ok/2")]), ("/ok/1", "/ok/2"), strict=True):
        assert isinstance(result, Fetched)
        assert result.path.read_bytes() == picture(name)
        assert result.sha256 == hashlib.sha256(picture(name)).hexdigest()
        assert result.path == tmp_path / "store" / result.sha256[:2] / result.sha256
    headers = {name.lower(): value for name, value in server.headers[0].items()}
    assert headers["user-agent"] == "etalage/0.1.0 (+picture intake)"
    assert headers["accept-encoding"] == "identity"


def test_faults_that_pass_are_tried_past(server: FaultyServer, get: Fetch) -> None:
    paths = [f"/faulty_once/{status}" for status in (408, 425, 429, 500, 502, 503, 504)] + ["/reset/once"]
    assert not any(reasons(get([server.url(path) for path in paths])))
    assert [server.count(path) for path in paths] == [2] * len(paths)


def test_the_host_names_the_time_of_the_next_try(server: FaultyServer, get: Fetch) -> None:
    paths = ["/later/1", "/later/date", "/later/3"]
    slots = {"num_connections": 1}  # that is free for /ok while the three wait
    assert not any(reasons(get([server.url(path) for path in [*paths, "/ok/1"]], **slots)))
    assert server.asked[3][0] == "/ok/1"
    times = {path: [at for asked, at in server.asked if asked == path] for path in paths}
    assert [len(at) for at in times.values()] == [2, 2, 2]
    assert times["/later/1"][1] - times["/later/1"][0] > 0.99
    assert times["/later/date"][1] - times["/later/date"][0] > 0.9
    assert times["/later/3"][1] - times["/later/3"][0] > 2.99
    assert server.asked[-1][0] == "/later/3", "the others' times, 1 and at most 2 s, were over before, busy or not"


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("86400", 60.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Fri, 31 Dec 2999 23:59:59 GMT", 60.0),
        ("Fri, 31 Dec 2999 23:59:59 -0000", 60.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_bounded(text: str, wait_s: float | None) -> None:
    assert download._retry_after(text) == wait_s


def test_lasting_faults_are_given_up_by_reason(server: FaultyServer, get: Fetch) -> None:
    expected = {
        "/status/404": ("fetch_not_found", 1),
        "/status/410": ("fetch_not_found", 1),
        "/status/403": ("fetch_forbidden", 1),
        "/status/401": ("fetch_forbidden", 1),
        "/status/418": ("fetch_http_error", 1),
        "/status/204": ("fetch_http_error", 1),
        "/status/500": ("fetch_http_error", 3),
        "/reset/always": ("fetch_truncated", 3),
        "/short": ("fetch_truncated", 3),
        "/packed/cut": ("fetch_truncated", 3),
        "/endless": ("fetch_too_many_bytes", 1),
        "/large": ("fetch_too_many_bytes", 1),
        "/bomb": ("fetch_too_many_bytes", 1),
        "/text/html": ("fetch_not_a_picture", 1),
        "/text/json": ("fetch_not_a_picture", 1),
        "/text/plain": ("fetch_not_a_picture", 1),
    }
    results = get([server.url(path) for path in expected])
    found = zip(expected, reasons(results), [server.count(path) for path in expected], strict=True)
    assert {path: (reason, tries) for path, reason, tries in found} == expected
    assert all(isinstance(result, Failed) and 0 < len(result.detail) <= 200 for result in results)


def test_time_is_bounded(server: FaultyServer, get: Fetch) -> None:
    """The limits are far from each other and from what the server does, so that a busy machine swaps no reasons."""
    began = time.monotonic()
    silent = {"first_byte_timeout_s": 0.3, "transfer_timeout_s": 20.0, "num_tries": 2}
    results = get([server.url(path) for path in ("/stall/head", "/stall/body")], **silent)
    slow = {"first_byte_timeout_s": 1.5, "transfer_timeout_s": 2.0, "num_tries": 1}  # no drip is 1.5 s late
    results += get([server.url("/drip")], **slow)
    assert reasons(results) == ["fetch_timeout"] * 3
    details = [result.detail for result in results]  # type: ignore[union-attr]
    assert details[:2] == ["nothing came for 0.3 s (try 2 of 2)"] * 2
    assert "not through in 2 s" in details[2]
    assert time.monotonic() - began < 20, "which one try would take without the first limit; without the other, 60"


def test_a_host_that_cannot_be_reached_is_named(get: Fetch) -> None:
    with socket.socket() as silent, socket.socket() as filler, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        filler.connect(silent.getsockname())  # fills the queue: who comes next waits
        closed.bind(("127.0.0.1", 0))
        urls = [f"http://127.0.0.1:{closed.getsockname()[1]}/", "http://no-such-host.invalid/"]
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        results = get([*urls, silent_url], connect_timeout_s=0.3, first_byte_timeout_s=0.3, num_tries=2)
    assert reasons(results) == ["fetch_connection", "fetch_dns", "fetch_timeout"]


def test_a_host_that_is_down_is_given_up(server: FaultyServer, get: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "HOST_DOWN_S", 0.2)
    monkeypatch.setattr(download, "HOST_DOWN_FAILURES", 8)
    monkeypatch.setattr(download, "BACKOFF_S", 0.4)  # the second tries come 0.2 s after the first ones, or later
    with socket.socket() as closed:
        closed.bind(("127.0.0.2", 0))
        urls = [f"http://127.0.0.2:{closed.getsockname()[1]}/{number}" for number in range(400)]
        found = reasons(get([*urls, server.url("/ok/1")], connections_per_host=4, num_tries=2))
    assert set(found[:400]) <= {"fetch_connection", "fetch_host_down"}
    assert found.count("fetch_host_down") > 100
    assert found[400] == "", "the other host is as well as before"


def test_redirects_are_followed_so_far(server: FaultyServer, get: Fetch) -> None:
    hopped, loop, away = get([server.url(path) for path in ("/hop/4", "/loop/", "/to?file:///etc/passwd")])
    assert isinstance(hopped, Fetched)
    assert hopped.path.read_bytes() == picture("/ok/hopped")
    assert reasons([loop, away]) == ["fetch_too_many_redirects", "fetch_url_invalid"]
    assert sum(path.startswith("/loop/") for path, _ in server.asked) == 1 + download.MAX_REDIRECTS


def test_large_pictures_are_kept_whole(server: FaultyServer, get: Fetch) -> None:
    (result,) = get([server.url("/big")], max_image_bytes=4_000_000)
    assert isinstance(result, Fetched)
    assert result.path.read_bytes() == picture("/big", 3_000_000)


def test_compressed_answers_are_taken_as_meant(server: FaultyServer, get: Fetch) -> None:
    paths = ["/packed/gzip", "/packed/deflate", "/packed/bare", "/packed/not", "/mislabelled"]
    for path, result in zip(paths, get([server.url(path) for path in paths]), strict=True):
        assert isinstance(result, Fetched), result
        assert result.path.read_bytes() == picture(path)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/a.jpg",
        "data:image/png;base64,AAAA",
        "http://user:secret@example.com/a.jpg",
        "http://user@example.com/",
        "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/",
        "http:///a.jpg",
        "http://[::1",
        "http://example.com:port/",
        "http://example.com:99999/",
        "img/1.jpg",
        "",
    ],
)
def test_other_urls_are_refused(url: str, get: Fetch) -> None:
    assert reasons(get([url])) == ["fetch_url_invalid"]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" http://Example.com ", "http://example.com/"),
        ("//cdn.example.com/a.jpg", "https://cdn.example.com/a.jpg"),
        (
            "http://example.com/a b%20c%zz.jpg?q=ü&r=a%2Fb+c#part",
            "http://example.com/a%20b%20c%25zz.jpg?q=%C3%BC&r=a%2Fb+c",
        ),
        ("https://bücher.example:8443/日本.png", "https://xn--bcher-kva.example:8443/%E6%97%A5%E6%9C%AC.png"),
        ("http://[::1]:8000/a", "http://[::1]:8000/a"),
        ("http://under_score.example.com/a//b/../c", "http://under_score.example.com/a//b/../c"),
    ],
)
def test_urls_are_quoted_as_browsers_do(text: str, url: str) -> None:
    assert str(download._parse(text)) == url


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "4000::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::"),
        *("2002:a00:1::1", "2001:0:7f00:1::1"),
    ],
)
def test_private_addresses_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)


def test_private_addresses_are_refused(server: FaultyServer, get: Fetch) -> None:
    hosts = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"]
    urls = [server.url("/ok/1", host) for host in hosts]
    assert reasons(get(urls, allow_private=False)) == ["fetch_address_refused"] * len(hosts)
    spelled = [server.url("/ok/1", host) for host in ("2130706433", "0177.0.0.1", "0x7f.1", "127.1", "①②⑦.0.0.1")]
    assert set(reasons(get(spelled, allow_private=False))) <= {"fetch_address_refused", "fetch_url_invalid"}
    assert not server.asked
    assert not any(reasons(get(urls[:1])))  # a refusal of ours is not remembered


def test_each_redirect_is_judged(server: FaultyServer, get: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "is_public", "127.0.0.1".__eq__)
    urls = [server.url(f"/to?{server.url('/ok/1', '127.0.0.2')}"), server.url(f"/to?{server.url('/ok/2')}")]
    assert reasons(get(urls, allow_private=False)) == ["fetch_address_refused", ""]
    assert server.count("/ok/1") == 0


def test_the_address_connected_to_is_judged(server: FaultyServer, get: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.9 stands for a public address here; the system's resolver answers for names of ours."""
    look_up = socket.getaddrinfo
    names = {"inner.test": ["127.0.0.1"], "both.test": ["127.0.0.1", "127.0.0.9", "127.0.0.2"]}
    judged: Counter[str] = Counter()

    def answer(host: str, *rest: object, **named: object) -> list[object]:
        return [found for address in names[host] for found in look_up(address, *rest, **named)]  # type: ignore

    def is_public(address: str) -> bool:
        judged[address] += 1
        return address == "127.0.0.9" or (address == "127.0.0.2" and judged[address] == 1)  # which is inner by then

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(download, "is_public", is_public)
    urls = [server.url("/ok/1", "inner.test"), *(server.url(f"/ok/{i}", "both.test") for i in range(2, 20))]
    inner, *both = reasons(get(urls, allow_private=False))
    assert inner == "fetch_address_refused"
    assert not any(both)
    assert server.reached_at == {"127.0.0.9"}
    names["inner.test"] = ["127.0.0.2"]  # public to the resolver, not to the connector
    judged.clear()
    assert reasons(get([server.url("/ok/99", "inner.test")], allow_private=False)) == ["fetch_address_refused"]
    assert judged["127.0.0.2"] == 2


def test_a_url_is_asked_for_once(server: FaultyServer, get: Fetch, tmp_path: Path) -> None:
    urls = [
        server.url(path)
        for path in ("/slow/1", "/slow/1", "/status/404", "/slow/1", "/status/404", "/same?1", "/same?2")
    ]
    first = get(urls)
    assert len(server.asked) == 4
    assert first[-1].path == first[-2].path  # type: ignore[union-attr]
    assert get(urls) == first
    assert len(server.asked) == 4
    assert reasons(get(urls, retry_failed=True)) == reasons(first)
    assert [server.count(path) for path in ("/slow/1", "/status/404")] == [1, 2]
    (tmp_path / "store" / first[0].sha256[:2] / first[0].sha256).write_bytes(b"")  # type: ignore[union-attr]
    assert get(urls) == first  # a picture that got lost is fetched again
    assert server.count("/slow/1") == 2


def test_connections_are_reused_within_limits(server: FaultyServer, get: Fetch) -> None:
    urls = [server.url(f"/slow/{i}") for i in range(120)]
    assert not any(reasons(get(urls, num_connections=16, connections_per_host=6)))
    assert server.most_active <= 6
    assert server.num_connections <= 6
    assert not any(reasons(get([server.url("/ok/x", host) for host in ("127.0.0.1", "127.0.0.3")])))


def test_a_slow_host_holds_up_no_other(server: FaultyServer, tmp_path: Path) -> None:
    urls = [server.url(f"/stall/{i}", "127.0.0.2") for i in range(20)] + [server.url(f"/ok/{i}") for i in range(20)]
    # the first result from the slow host is there after 20 s: too late for it, if it leaves slots to the other
    limits = {"num_connections": 4, "connections_per_host": 2, "first_byte_timeout_s": 20.0, "num_tries": 1}
    results = fetch(urls, tmp_path / "store", make_config(**limits))
    assert not any(reasons([next(results) for _ in range(20)]))
    results.close()  # type: ignore[attr-defined]


def test_cookies_are_not_kept(server: FaultyServer, get: Fetch) -> None:
    get([server.url("/cookie/1"), server.url("/cookie/2")], num_connections=1)
    assert not any("cookie" in {name.lower() for name in headers} for headers in server.headers)


def test_urls_are_read_as_results_are_taken(
    server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "WINDOW", 10)
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield server.url(f"/ok/{read}")

    results = fetch(endless(), tmp_path / "store", make_config())
    for taken in range(1, 50):
        assert isinstance(next(results), Fetched)
        assert read <= taken + 11
    results.close()  # type: ignore[attr-defined]
    assert not list((tmp_path / "store" / ".aside").glob("*"))


def test_every_mention_is_answered(server: FaultyServer, tmp_path: Path) -> None:
    urls = [server.url("/ok/1"), "ftp://x/", server.url("/ok/1")]
    told = [result.url for result in fetch(urls, tmp_path / "store", make_config())]
    assert sorted(told) == sorted(urls)


def test_errors_of_the_caller_pass_through(server: FaultyServer, tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield server.url("/ok/1")
        raise KeyError("row 2")

    with pytest.raises(KeyError, match="row 2"):
        list(fetch(broken(), tmp_path / "store", make_config()))


def test_one_process_at_a_time(server: FaultyServer, tmp_path: Path) -> None:
    results = fetch([server.url("/ok/1"), server.url("/slow/2")], tmp_path / "store", make_config())
    next(results)
    with pytest.raises(ValueError, match="another process fetches into this folder"):
        next(fetch([], tmp_path / "store", make_config()))
    assert len(list(results)) == 1
    assert list(fetch([], tmp_path / "store", make_config())) == []


def test_a_damaged_store_says_so(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "fetched.sqlite").write_bytes(b"no table" * 1000)
    with pytest.raises(ValueError, match=r"fetched\.sqlite: .* remove it"):
        list(fetch([], store, make_config()))
    (store / "fetched.sqlite").unlink()
    with sqlite3.connect(store / "fetched.sqlite") as table:
        table.execute("PRAGMA user_version = 7")
    table.close()
    with pytest.raises(ValueError, match="version 7"):
        list(fetch([], store, make_config()))


def test_a_disk_that_fails_ends_the_run(server: FaultyServer, tmp_path: Path) -> None:
    results = fetch([server.url("/slow/1"), server.url("/slow/2")], tmp_path / "store", make_config(num_connections=1))
    next(results)
    for folder in (tmp_path / "store").glob("??"):
        folder.rename(tmp_path / folder.name)
    taken = hashlib.sha256(picture("/slow/2")).hexdigest()
    (tmp_path / "store" / taken[:2]).write_text("in the way")
    with pytest.raises(OSError, match=r"exists|directory"):
        next(results)


RUN = """
import sys
from pathlib import Path
from etalage.catalogue import download
from etalage.config import PrepareConfig
download.BACKOFF_S = 0.02
config = PrepareConfig("t", Path("o"), allow_private=True, connections_per_host=8, num_tries=3)
urls = [f"{sys.argv[1]}/{kind}/{i}" for i in range(60) for kind in ("slow", "faulty_once/500", "status/404", "same")]
print("ready", flush=True)
for result in download.fetch(urls, Path(sys.argv[2]), config):
    print(result.url.removeprefix(sys.argv[1]), getattr(result, "sha256", None) or result.reason, flush=True)
"""


def run(server: FaultyServer, store: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, server.url(""), str(store)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_runs_end_as_an_unbroken_one(server: FaultyServer, tmp_path: Path) -> None:
    unbroken = sorted(run(server, tmp_path / "unbroken").communicate()[0].splitlines())
    assert len(unbroken) == 240
    server.asked.clear()
    told: set[str] = set()

    def run_on(num_told: int | None = None, wait_s: float = 0.0) -> list[str]:
        """To the end, or until killed once that much was told; what was told before is not asked for again."""
        num_asked = len(server.asked)
        process = run(server, tmp_path / "killed")
        assert process.stdout is not None
        if num_told is None:
            lines = process.stdout.readlines()
        else:
            lines = [process.stdout.readline() for _ in range(num_told)]
            time.sleep(wait_s)
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        process.communicate()
        assert not told & {path for path, _ in server.asked[num_asked:]}
        told.update(line.split()[0] for line in lines)
        return [line.rstrip() for line in lines]

    for num_told, wait_s in ((0, 0.005), (10, 0.003), (60, 0.007), (110, 0.002), (170, 0.005)):
        assert len(run_on(num_told, wait_s)) >= num_told
    assert sorted(run_on()) == unbroken
    pictures = [{path.name for path in (tmp_path / name).glob("??/*")} for name in ("unbroken", "killed")]
    assert pictures[0] == pictures[1]
    assert not (tmp_path / "killed" / ".aside").exists()
