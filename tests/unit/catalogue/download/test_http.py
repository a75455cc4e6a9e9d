"""One request: what its answer, or the lack of one, means, and that its time is bounded."""

import hashlib
import socket
import threading
import time
from pathlib import Path

import pytest

from etalage.catalogue.download import Failed, Fetched
from etalage.catalogue.download.http import MAX_REDIRECTS, parse_retry_after

from .conftest import FetchAll, reasons
from .faulty_server import FaultyServer, picture


def test_pictures_are_stored_by_content(server: FaultyServer, fetch_all: FetchAll, tmp_path: Path) -> None:
    for result, name in zip(fetch_all([server.url("/ok/1"), server.url("/ok/2")]), ("/ok/1", "/ok/2"), strict=True):
        assert isinstance(result, Fetched)
        assert result.path.read_bytes() == picture(name)
        assert result.sha256 == hashlib.sha256(picture(name)).hexdigest()
        assert result.path == tmp_path / "store" / result.sha256[:2] / result.sha256
    headers = {name.lower(): value for name, value in server.headers[0].items()}
    assert headers["user-agent"] == "etalage/0.1.0 (+picture intake)"
    assert headers["accept-encoding"] == "identity"


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
    assert parse_retry_after(text) == wait_s


def test_each_failure_has_its_reason_and_number_of_tries(server: FaultyServer, fetch_all: FetchAll) -> None:
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
        "/compressed/cut": ("fetch_truncated", 3),
        "/endless": ("fetch_too_many_bytes", 1),
        "/large": ("fetch_too_many_bytes", 1),
        "/bomb": ("fetch_too_many_bytes", 1),
        "/text/html": ("fetch_not_a_picture", 1),
        "/text/json": ("fetch_not_a_picture", 1),
        "/text/plain": ("fetch_not_a_picture", 1),
    }
    results = fetch_all([server.url(path) for path in expected])
    found = zip(expected, reasons(results), [server.count(path) for path in expected], strict=True)
    assert {path: (reason, tries) for path, reason, tries in found} == expected
    assert all(isinstance(result, Failed) and 0 < len(result.detail) <= 200 for result in results)


def test_time_is_bounded(server: FaultyServer, fetch_all: FetchAll) -> None:
    """The limits are far from each other and from what the server does, so that a busy machine swaps no reasons."""
    start = time.monotonic()
    silent = {"first_byte_timeout_s": 0.3, "transfer_timeout_s": 20.0, "num_tries": 2}
    results = fetch_all([server.url(path) for path in ("/stall/head", "/stall/body")], **silent)
    slow = {"first_byte_timeout_s": 1.5, "transfer_timeout_s": 2.0, "num_tries": 1}  # no byte of /drip is 1.5 s late
    results += fetch_all([server.url("/drip")], **slow)
    assert reasons(results) == ["fetch_timeout"] * 3
    details = [result.detail for result in results]  # type: ignore[union-attr]
    assert details[:2] == ["no data for 0.3 s (try 2 of 2)"] * 2
    assert "the transfer took longer than 2 s" in details[2]
    assert time.monotonic() - start < 20, "one try takes 20 s without the first limit, and 60 s without the other"


def test_a_host_that_cannot_be_reached_is_named(fetch_all: FetchAll) -> None:
    with socket.socket() as silent, socket.socket() as filler, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        filler.connect(silent.getsockname())  # fills the queue: the next connection waits
        closed.bind(("127.0.0.1", 0))
        urls = [f"http://127.0.0.1:{closed.getsockname()[1]}/", "http://no-such-host.invalid/"]
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        results = fetch_all([*urls, silent_url], connect_timeout_s=0.3, first_byte_timeout_s=0.3, num_tries=2)
    assert reasons(results) == ["fetch_connection", "fetch_dns", "fetch_timeout"]


def test_an_answer_that_is_not_http_is_an_http_error(fetch_all: FetchAll) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example ESMTP\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        (result,) = fetch_all([url])
        thread.join()
    assert isinstance(result, Failed)
    assert (result.reason, result.detail[:9]) == ("fetch_http_error", "not HTTP:")


def test_a_https_url_of_a_host_without_tls_is_a_connection_error(server: FaultyServer, fetch_all: FetchAll) -> None:
    assert reasons(fetch_all([server.url("/ok/1").replace("http:", "https:")], num_tries=1)) == ["fetch_connection"]


def test_redirects_are_followed_up_to_a_limit(server: FaultyServer, fetch_all: FetchAll) -> None:
    hopped, loop, away = fetch_all([server.url(path) for path in ("/hop/4", "/loop/", "/to?file:///etc/passwd")])
    assert isinstance(hopped, Fetched)
    assert hopped.path.read_bytes() == picture("/ok/hopped")
    assert reasons([loop, away]) == ["fetch_too_many_redirects", "fetch_url_invalid"]
    assert sum(path.startswith("/loop/") for path, _ in server.requests) == 1 + MAX_REDIRECTS


def test_cookies_are_not_kept(server: FaultyServer, fetch_all: FetchAll) -> None:
    fetch_all([server.url("/cookie/1"), server.url("/cookie/2")], num_connections=1)
    assert not any("cookie" in {name.lower() for name in headers} for headers in server.headers)
