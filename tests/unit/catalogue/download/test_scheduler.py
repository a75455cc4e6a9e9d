"""Requests are retried past faults that pass, hosts share the connections, and interrupted runs go on."""

import hashlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from etalage.catalogue.download import Fetched, fetch, hosts, scheduler

from .conftest import FetchAll, make_config, reasons
from .faulty_server import FaultyServer, picture


def test_requests_are_retried_past_temporary_faults(server: FaultyServer, fetch_all: FetchAll) -> None:
    paths = [f"/faulty_once/{status}" for status in (408, 425, 429, 500, 502, 503, 504)] + ["/reset/once"]
    assert not any(reasons(fetch_all([server.url(path) for path in paths])))
    assert [server.count(path) for path in paths] == [2] * len(paths)


def test_a_retry_waits_as_long_as_the_host_asks(server: FaultyServer, fetch_all: FetchAll) -> None:
    paths = ["/later/1", "/later/date", "/later/3"]
    slots = {"num_connections": 1}  # which is free for /ok while the three wait
    assert not any(reasons(fetch_all([server.url(path) for path in [*paths, "/ok/1"]], **slots)))
    assert server.requests[3][0] == "/ok/1"
    times = {path: [at for requested, at in server.requests if requested == path] for path in paths}
    assert [len(at) for at in times.values()] == [2, 2, 2]
    assert times["/later/1"][1] - times["/later/1"][0] > 0.99
    assert times["/later/date"][1] - times["/later/date"][0] > 0.9
    assert times["/later/3"][1] - times["/later/3"][0] > 2.99
    assert server.requests[-1][0] == "/later/3", "the waits of the others end after 1 s and at most 2 s"


def test_the_urls_of_a_host_that_is_down_fail_at_once(
    server: FaultyServer, fetch_all: FetchAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "HOST_DOWN_S", 0.2)
    monkeypatch.setattr(hosts, "HOST_DOWN_FAILURES", 8)
    monkeypatch.setattr(scheduler, "BACKOFF_S", 0.4)  # the second tries come 0.2 s after the first ones, or later
    with socket.socket() as closed:
        closed.bind(("127.0.0.2", 0))
        urls = [f"http://127.0.0.2:{closed.getsockname()[1]}/{number}" for number in range(400)]
        found = reasons(fetch_all([*urls, server.url("/ok/1")], connections_per_host=4, num_tries=2))
    assert set(found[:400]) <= {"fetch_connection", "fetch_host_down"}
    assert found.count("fetch_host_down") > 100
    assert found[400] == "", "the other host is not affected"


def test_connections_are_reused_within_limits(server: FaultyServer, fetch_all: FetchAll) -> None:
    urls = [server.url(f"/slow/{i}") for i in range(120)]
    assert not any(reasons(fetch_all(urls, num_connections=16, connections_per_host=6)))
    assert server.max_active <= 6
    assert server.num_connections <= 6
    assert not any(reasons(fetch_all([server.url("/ok/x", host) for host in ("127.0.0.1", "127.0.0.3")])))


def test_a_slow_host_delays_no_other(server: FaultyServer, tmp_path: Path) -> None:
    urls = [server.url(f"/stall/{i}", "127.0.0.2") for i in range(20)] + [server.url(f"/ok/{i}") for i in range(20)]
    # the slow host gives its first result after 20 s, so the other can only be fast if it has connections left
    limits = {"num_connections": 4, "connections_per_host": 2, "first_byte_timeout_s": 20.0, "num_tries": 1}
    results = fetch(enumerate(urls), tmp_path / "store", make_config(**limits))
    assert not any(reasons([next(results)[1] for _ in range(20)]))
    results.close()  # type: ignore[attr-defined]


def test_urls_are_read_as_results_are_taken(
    server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "WINDOW", 10)
    num_read = 0

    def endless() -> Iterator[str]:
        nonlocal num_read
        while True:
            num_read += 1
            yield server.url(f"/ok/{num_read}")

    results = fetch(enumerate(endless()), tmp_path / "store", make_config())
    for num_taken in range(1, 50):
        assert isinstance(next(results)[1], Fetched)
        assert num_read <= num_taken + 11
    results.close()  # type: ignore[attr-defined]
    assert not list((tmp_path / "store" / ".partial").glob("*"))


def test_every_mention_of_a_url_gets_a_result(server: FaultyServer, tmp_path: Path) -> None:
    urls = [server.url("/ok/1"), "ftp://x/", server.url("/ok/1")]
    results = list(fetch(enumerate(urls, 7), tmp_path / "store", make_config()))
    assert sorted((number, result.url) for number, result in results) == list(enumerate(urls, 7))


def test_errors_of_the_iterable_pass_through(server: FaultyServer, tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield server.url("/ok/1")
        raise KeyError("row 2")

    with pytest.raises(KeyError, match="row 2"):
        list(fetch(enumerate(broken()), tmp_path / "store", make_config()))


def test_a_disk_that_fails_ends_the_run(server: FaultyServer, tmp_path: Path) -> None:
    results = fetch(
        enumerate([server.url("/slow/1"), server.url("/slow/2")]), tmp_path / "store", make_config(num_connections=1)
    )
    next(results)
    for folder in (tmp_path / "store").glob("??"):
        folder.rename(tmp_path / folder.name)
    sha256 = hashlib.sha256(picture("/slow/2")).hexdigest()
    (tmp_path / "store" / sha256[:2]).write_text("in the way")
    with pytest.raises(OSError, match=r"exists|directory"):
        next(results)


RUN = """
import sys
from pathlib import Path
from etalage.catalogue.download import fetch, scheduler
from etalage.config import PrepareConfig
scheduler.BACKOFF_S = 0.02
config = PrepareConfig("t", Path("o"), allow_private=True, connections_per_host=8, num_tries=3)
urls = [f"{sys.argv[1]}/{kind}/{i}" for i in range(60) for kind in ("slow", "faulty_once/500", "status/404", "same")]
print("ready", flush=True)
for _, result in fetch(enumerate(urls), Path(sys.argv[2]), config):
    print(result.url.removeprefix(sys.argv[1]), getattr(result, "sha256", None) or result.reason, flush=True)
"""


def start_run(server: FaultyServer, store: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, server.url(""), str(store)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_runs_end_like_an_uninterrupted_one(server: FaultyServer, tmp_path: Path) -> None:
    uninterrupted = sorted(start_run(server, tmp_path / "uninterrupted").communicate()[0].splitlines())
    assert len(uninterrupted) == 240
    server.requests.clear()
    finished: set[str] = set()

    def continue_run(num_lines: int | None = None, wait_s: float = 0.0) -> list[str]:
        """Run to the end, or kill the run after `num_lines` lines of output; no finished URL is requested again."""
        num_before = len(server.requests)
        process = start_run(server, tmp_path / "killed")
        assert process.stdout is not None
        if num_lines is None:
            lines = process.stdout.readlines()
        else:
            lines = [process.stdout.readline() for _ in range(num_lines)]
            time.sleep(wait_s)
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        process.communicate()
        assert not finished & {path for path, _ in server.requests[num_before:]}
        finished.update(line.split()[0] for line in lines)
        return [line.rstrip() for line in lines]

    for num_lines, wait_s in ((0, 0.005), (10, 0.003), (60, 0.007), (110, 0.002), (170, 0.005)):
        assert len(continue_run(num_lines, wait_s)) >= num_lines
    assert sorted(continue_run()) == uninterrupted
    pictures = [{path.name for path in (tmp_path / name).glob("??/*")} for name in ("uninterrupted", "killed")]
    assert pictures[0] == pictures[1]
    assert not (tmp_path / "killed" / ".partial").exists()
