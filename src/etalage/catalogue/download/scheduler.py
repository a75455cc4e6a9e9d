"""Decides which URL is requested when, and tries again what may pass.

The caller's thread reads URLs and records results. Another thread runs an event loop with all connections, and a few
more hash and write pictures.
"""

import asyncio
import random
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import SpooledTemporaryFile
from typing import IO, Self

from yarl import URL

from etalage.catalogue.download.body import BodyWriteError
from etalage.catalogue.download.hosts import FetchJob, HostHealth, HostQueues
from etalage.catalogue.download.http import HttpClient
from etalage.catalogue.download.results import Failed, Fetched, FetchError, Outcome, Redirect
from etalage.catalogue.download.store import DownloadStore
from etalage.catalogue.download.urls import parse_url
from etalage.config import PrepareConfig

__all__ = ["Scheduler", "fetch"]

WINDOW = 8192
"""URLs in flight at once: requested, waiting for a connection, or waiting for another try. A host that does not answer
delays the others only once its URLs fill the window."""

BACKOFF_S = 0.5
"""Wait before the second try, give or take a half; it doubles before each further try."""

_MAX_DETAIL_CHARS = 180
_NUM_WRITERS = 4
_SPOOL_BYTES = 1 << 20  # larger bodies wait on disk, so that memory stays flat whatever the hosts send


def fetch(
    pictures: Iterable[tuple[int, str]], store: Path, config: PrepareConfig
) -> Iterator[tuple[int, Fetched | Failed]]:
    """Fetch pictures, many at once, and yield the result of each as soon as it is there, with the picture's id.

    Results come in no particular order. Several pictures may have one URL, which is requested once. What the store
    holds is not requested again; what failed in an earlier run is requested again only with `config.retry_failed`.
    Connection errors, timeouts, truncated bodies and the statuses 408, 425, 429, 500, 502, 503 and 504 are tried again,
    after the time that the host names or one that grows. The connection is free for other URLs meanwhile.

    Args:
        pictures: Ids and http or https URLs; `//host/path` counts as https. They are read only as results are taken, so
            that they may be endless.
        store: The folder for pictures, made if missing. One process at a time may use it.
        config: Limits of time, bytes and connections.

    Yields:
        The id with `Fetched`, or `Failed` with one of the reasons fetch_url_invalid, fetch_address_refused (loopback,
        link-local, private and the like; checked for the address connected to, at every redirect), fetch_dns,
        fetch_connection, fetch_host_down (given up after HOST_DOWN_S without a connection), fetch_timeout,
        fetch_too_many_redirects, fetch_not_found (404, 410), fetch_forbidden (401, 403), fetch_http_error (other
        statuses), fetch_truncated, fetch_too_many_bytes (also after decompression) or fetch_not_a_picture (HTML, JSON
        or XML).

    Raises:
        EtalageError: Another process uses the store, or its table is damaged or of another version.
        OSError: A picture cannot be written to the store.
    """
    waiting: dict[str, list[int]] = {}  # the ids of each URL in flight

    with DownloadStore(store, retry_failed=config.retry_failed) as known, Scheduler(config, known) as scheduler:

        def take_results(*, wait: bool) -> Iterator[tuple[int, Fetched | Failed]]:
            outcomes = scheduler.take(wait=wait)
            known.record(outcomes)
            for outcome in outcomes:
                for picture_id in waiting.pop(outcome.result.url):
                    yield picture_id, outcome.result

        for picture_id, url in pictures:
            if url in waiting:
                waiting[url].append(picture_id)
            elif isinstance(target := _parse_or_fail(url), Failed):
                yield picture_id, target
            elif (result := known.find(url)) is not None:
                yield picture_id, result
            else:
                while len(waiting) >= WINDOW:
                    yield from take_results(wait=True)
                waiting[url] = [picture_id]
                scheduler.submit(FetchJob(url, target, target))
            if scheduler.has_outcomes():
                yield from take_results(wait=False)
        while waiting:
            yield from take_results(wait=True)


def _parse_or_fail(url: str) -> URL | Failed:
    try:
        return parse_url(url)
    except FetchError as error:
        return Failed(url, error.reason, error.detail)


class Scheduler:
    """Runs jobs in an event loop of its own thread, many at once, and tries again what may pass.

    A context manager. `submit`, `has_outcomes` and `take` belong to the caller's thread, everything else to the loop's.

    Args:
        config: Limits of connections and tries.
        store: Where pictures are written.
    """

    def __init__(self, config: PrepareConfig, store: DownloadStore) -> None:
        self._config, self._store = config, store
        self._outcomes: SimpleQueue[Outcome | BaseException] = SimpleQueue()
        self._queues = HostQueues(config.connections_per_host)
        self._health = HostHealth()
        self._num_active = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        while self.has_outcomes():  # record what the caller did not wait for: the next run need not request it
            if isinstance(outcome := self._outcomes.get(), Outcome):
                self._store.record([outcome])

    def submit(self, job: FetchJob) -> None:
        """Queue a job.

        Args:
            job: The request to make.

        Raises:
            Exception: What ended the loop's thread, such as a full disk.
        """
        try:
            self._loop.call_soon_threadsafe(self._enqueue, job)
        except RuntimeError:  # the loop is closed: raise what closed it
            self.take(wait=True)
            raise

    def has_outcomes(self) -> bool:
        """Return True if `take` would return something without waiting."""
        return not self._outcomes.empty()

    def take(self, *, wait: bool) -> list[Outcome]:
        """Return all outcomes that are there.

        Args:
            wait: Wait for at least one.

        Raises:
            Exception: What ended the loop's thread, such as a full disk.
        """
        outcomes: list[Outcome] = []
        try:
            while True:
                outcome = self._outcomes.get(block=wait and not outcomes)
                if isinstance(outcome, BodyWriteError):
                    raise outcome.__cause__ or outcome
                if isinstance(outcome, BaseException):
                    raise outcome
                outcomes.append(outcome)
        except Empty:
            return outcomes

    # Everything below runs in the loop's thread.

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._outcomes.put(error)
        finally:
            self._started.set()  # also after a failure, or the caller would wait forever

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with HttpClient(self._config) as self._client:
            with ThreadPoolExecutor(_NUM_WRITERS, "write") as self._writers:
                self._started.set()
                await self._stop.wait()
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def _enqueue(self, job: FetchJob, *, in_front: bool = False) -> None:
        self._queues.push(job, in_front=in_front)
        self._start_jobs()

    def _start_jobs(self) -> None:
        """Start as many jobs as there are free connections."""
        while self._num_active < self._config.num_connections and not self._stop.is_set():
            if (job := self._queues.pop()) is None:
                return
            self._num_active += 1
            task = self._loop.create_task(self._run_job(job))
            self._tasks.add(task)  # the loop itself keeps only weak references
            task.add_done_callback(self._tasks.discard)

    async def _run_job(self, job: FetchJob) -> None:
        try:
            with SpooledTemporaryFile(_SPOOL_BYTES, dir=str(self._store.partial_folder)) as body:
                try:
                    is_fetched = await self._try_once(job, body)
                finally:
                    self._queues.release(job.host)  # the host may serve another job while this picture is written
                    self._start_jobs()
                if is_fetched:
                    sha256, num_bytes = await self._loop.run_in_executor(self._writers, self._store.add_picture, body)
                    path = self._store.picture_path(sha256)
                    self._outcomes.put(Outcome(Fetched(job.url, path, sha256), num_bytes, job.num_tries))
        except Exception as error:  # of the disk, or a bug of ours: it ends the whole run
            self._outcomes.put(error)
        finally:
            self._num_active -= 1
            self._start_jobs()

    async def _try_once(self, job: FetchJob, body: IO[bytes]) -> bool:
        """Make one request; return True if the picture is in `body`, else queue another job or report the failure."""
        try:
            self._health.check(job.host)
            await self._client.get(job.target, body, job.num_redirects)
        except Redirect as redirect:
            self._health.record_connection(job.host)
            # a new job, for the limits of the host that it leads to
            self._enqueue(replace(job, target=redirect.target, num_redirects=job.num_redirects + 1), in_front=True)
            return False
        except FetchError as error:
            self._retry_or_fail(job, error)
            return False
        self._health.record_connection(job.host)
        return True

    def _retry_or_fail(self, job: FetchJob, error: FetchError) -> None:
        if error.unreachable:
            self._health.record_failure(job.host)
        else:
            self._health.record_connection(job.host)
        if error.retryable and job.num_tries < self._config.num_tries:
            # random, so that jobs that failed together do not all come back together
            wait_s = BACKOFF_S * 2 ** (job.num_tries - 1) * random.uniform(0.5, 1.5)
            if error.retry_after_s is not None:
                wait_s = error.retry_after_s + random.uniform(0, 0.1)
            retry = replace(job, target=job.first_target, num_redirects=0, num_tries=job.num_tries + 1)
            self._loop.call_later(wait_s, self._enqueue, retry)
        else:
            tries = f" (try {job.num_tries} of {self._config.num_tries})" if error.retryable else ""
            failed = Failed(job.url, error.reason, f"{error.detail[:_MAX_DETAIL_CHARS]}{tries}")
            self._outcomes.put(Outcome(failed, 0, job.num_tries))
