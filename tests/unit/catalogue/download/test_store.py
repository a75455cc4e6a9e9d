"""The store keeps pictures by content, remembers what URLs gave, and belongs to one process at a time."""

import hashlib
import sqlite3
from io import BytesIO
from pathlib import Path

import pytest

from etalage.catalogue.download import Failed, Fetched, fetch
from etalage.catalogue.download.results import Outcome
from etalage.catalogue.download.store import DownloadStore
from etalage.errors import EtalageError

from .conftest import FetchAll, make_config, reasons
from .faulty_server import FaultyServer

URL = "http://example.com/1.jpg"


def add(store: DownloadStore, data: bytes, url: str = URL) -> Fetched:
    sha256, num_bytes = store.add_picture(BytesIO(data))
    fetched = Fetched(url, store.picture_path(sha256), sha256)
    store.record([Outcome(fetched, num_bytes, 1)])
    return fetched


def test_a_picture_is_found_again_by_its_url(tmp_path: Path) -> None:
    with DownloadStore(tmp_path, retry_failed=False) as store:
        assert store.find(URL) is None
        fetched = add(store, b"picture")
        assert store.find(URL) == fetched
    with DownloadStore(tmp_path, retry_failed=False) as store:
        assert store.find(URL) == fetched
    assert fetched.sha256 == hashlib.sha256(b"picture").hexdigest()
    assert fetched.path == tmp_path / fetched.sha256[:2] / fetched.sha256
    assert fetched.path.read_bytes() == b"picture"


def test_equal_pictures_are_kept_once(tmp_path: Path) -> None:
    with DownloadStore(tmp_path, retry_failed=False) as store:
        one, other = add(store, b"picture"), add(store, b"picture", URL + "?again")
        assert one.path == other.path
    assert len(list(tmp_path.glob("??/*"))) == 1
    assert not (tmp_path / ".partial").exists()


def test_a_picture_is_read_from_its_start_and_beyond_one_chunk(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4000
    body = BytesIO(data)
    body.seek(0, 2)  # as it is after writing
    with DownloadStore(tmp_path, retry_failed=False) as store:
        sha256, num_bytes = store.add_picture(body)
        assert (sha256, num_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
        assert store.picture_path(sha256).read_bytes() == data


@pytest.mark.parametrize("damage", ["shortened", "removed"])
def test_a_picture_that_lost_bytes_is_requested_again(tmp_path: Path, damage: str) -> None:
    with DownloadStore(tmp_path, retry_failed=False) as store:
        fetched = add(store, b"picture")
        if damage == "shortened":
            fetched.path.write_bytes(b"pic")
        else:
            fetched.path.unlink()
        assert store.find(URL) is None


@pytest.mark.parametrize(
    ("reason", "retry_failed", "is_remembered"),
    [
        ("fetch_not_found", False, True),
        ("fetch_not_found", True, False),
        ("fetch_url_invalid", False, False),
        ("fetch_address_refused", False, False),
    ],
)
def test_failures_are_remembered_unless_another_setting_may_lift_them(
    tmp_path: Path, reason: str, retry_failed: bool, is_remembered: bool
) -> None:
    failed = Failed(URL, reason, "HTTP 404")
    with DownloadStore(tmp_path, retry_failed=retry_failed) as store:
        store.record([Outcome(failed, 0, 1)])
        assert store.find(URL) == failed, "within a run, all failures are"
    with DownloadStore(tmp_path, retry_failed=retry_failed) as store:
        assert store.find(URL) == (failed if is_remembered else None)


def test_odd_urls_are_kept_apart(tmp_path: Path) -> None:
    urls = ["http://example.com/\udcff", "http://example.com/'; DROP TABLE fetched; --", "http://example.com/\0"]
    with DownloadStore(tmp_path, retry_failed=False) as store:
        fetched = [add(store, url.encode("utf-8", "backslashreplace"), url) for url in urls]
        assert [store.find(url) for url in urls] == fetched
        store.record([Outcome(Failed(URL, "fetch_dns", "\ud800"), 0, 1)])
        assert store.find(URL) == Failed(URL, "fetch_dns", "\\ud800")


def test_files_of_killed_runs_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial/0").write_bytes(b"half a pic")
    with DownloadStore(tmp_path, retry_failed=False) as store:
        assert not list(store.partial_folder.iterdir())


def test_a_url_is_requested_once(server: FaultyServer, fetch_all: FetchAll, tmp_path: Path) -> None:
    urls = [
        server.url(path)
        for path in ("/slow/1", "/slow/1", "/status/404", "/slow/1", "/status/404", "/same?1", "/same?2")
    ]
    first = fetch_all(urls)
    assert len(server.requests) == 4
    assert first[-1].path == first[-2].path  # type: ignore[union-attr]
    assert fetch_all(urls) == first
    assert len(server.requests) == 4
    assert reasons(fetch_all(urls, retry_failed=True)) == reasons(first)
    assert [server.count(path) for path in ("/slow/1", "/status/404")] == [1, 2]
    (tmp_path / "store" / first[0].sha256[:2] / first[0].sha256).write_bytes(b"")  # type: ignore[union-attr]
    assert fetch_all(urls) == first  # a lost picture is fetched again
    assert server.count("/slow/1") == 2


def test_one_process_at_a_time(server: FaultyServer, tmp_path: Path) -> None:
    results = fetch(enumerate([server.url("/ok/1"), server.url("/slow/2")]), tmp_path / "store", make_config())
    next(results)
    with pytest.raises(EtalageError, match=r"is in use: .* or choose another folder with --downloads"):
        next(fetch([], tmp_path / "store", make_config()))
    assert len(list(results)) == 1
    assert list(fetch([], tmp_path / "store", make_config())) == []


def test_a_damaged_store_says_so(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "fetched.sqlite").write_bytes(b"no table" * 1000)
    with pytest.raises(EtalageError, match=r"fetched\.sqlite: .* remove it"):
        list(fetch([], store, make_config()))
    (store / "fetched.sqlite").unlink()
    with sqlite3.connect(store / "fetched.sqlite") as table:
        table.execute("PRAGMA user_version = 7")
    table.close()
    with pytest.raises(EtalageError, match="version 7"):
        list(fetch([], store, make_config()))
