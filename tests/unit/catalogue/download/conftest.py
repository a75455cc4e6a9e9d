"""Shared by the tests of `download`: a faulty server, and fetching from it into one store."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etalage.catalogue.download import Failed, Fetched, fetch, scheduler
from etalage.config import PrepareConfig

from .faulty_server import FaultyServer

MAX_BYTES = 100_000

Result = Fetched | Failed
FetchAll = Callable[..., list[Result]]


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.stopped.set()
        server.shutdown()
        thread.join()


def make_config(**overrides: object) -> PrepareConfig:
    settings = {"allow_private": True, "max_image_bytes": MAX_BYTES, "num_tries": 3, **overrides}
    return PrepareConfig("table.csv", Path("out"), **settings)  # type: ignore[arg-type]


@pytest.fixture
def fetch_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FetchAll:
    """Fetch into one store, with overrides of the configuration; results in the order of the URLs."""
    monkeypatch.setattr(scheduler, "BACKOFF_S", 0.02)

    def fetch_all(urls: list[str], **overrides: object) -> list[Result]:
        results = dict(fetch(enumerate(urls), tmp_path / "store", make_config(**overrides)))
        assert [results[number].url for number in range(len(urls))] == urls
        return [results[number] for number in range(len(urls))]

    return fetch_all


def reasons(results: list[Result]) -> list[str]:
    """Return the reason of each failure, and an empty text for each picture."""
    return [result.reason if isinstance(result, Failed) else "" for result in results]
