"""Pictures named by URL, fetched into a store that outlives broken runs.

The store is a folder: STORE/ab/<sha256 of the bytes> per picture, named by content only, and STORE/fetched.sqlite,
which says of each URL what it gave. A picture is in its place before its row is written, so that a run killed at any
moment leaves nothing worse than a picture to ask for again.

The caller's thread reads `urls` and keeps the rows, one thread runs an event loop with all connections, and a few hash
and write pictures. The client is aiohttp: it takes a quarter of httpx2's processor time, and its connector lets us
judge the very address of each socket. Proxies named by the environment are not used, since what a proxy connects to
cannot be judged; cookies are not kept.
"""

import asyncio
import fcntl
import hashlib
import random
import re
import shutil
import socket
import sqlite3
import threading
import time
import weakref
import zlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
import idna
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from etalage import __version__
from etalage.config import PrepareConfig
from etalage.errors import EtalageError

__all__ = ["Failed", "Fetched", "fetch", "is_public"]

WINDOW = 8192
"""URLs in hand at once: asked, waiting for a connection, or for another try. Hosts that answer are only held up by one
that does not once it fills the window."""

MAX_REDIRECTS = 5
MAX_RETRY_AFTER_S = 60.0
"""A host may ask for longer; it is then asked too early, and few pictures are worth the wait."""
BACKOFF_S = 0.5
"""Before the second try, give or take a half; twice as long before each further one."""

HOST_DOWN_S, HOST_DOWN_FAILURES = 60.0, 64
"""A host that so many attempts in so long a time could not connect to is down; its other URLs fail at once."""

RETRIED_STATUS = frozenset((408, 425, 429, 500, 502, 503, 504))
JUDGED_ANEW = frozenset(("fetch_url_invalid", "fetch_address_refused"))
"""Refusals of ours, which another setting may lift; they are not remembered from run to run."""

_REASONS = {401: "fetch_forbidden", 403: "fetch_forbidden", 404: "fetch_not_found", 410: "fetch_not_found"}
_ACCEPT = "image/jpeg, image/png, image/webp, image/gif, */*;q=0.5"  # or some hosts send what Pillow cannot read
_SPILL_BYTES = 1 << 20  # larger bodies wait on disk, so that memory stays flat whatever 128 hosts send
_PIECE_BYTES = 1 << 18

_MAGIC = re.compile(rb"(?s)\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|BM|II[*+]\0|MM\0[*+]")
_TEXT = re.compile(rb"(?:\xef\xbb\xbf)?\s*[<{\[][^\x00-\x08\x0e-\x1f]*")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,252})")
_URL_SAFE = "!$%&'()*+,/:;=?@[]~"

_GLOBAL_UNICAST = IPv6Network("2000::/3")  # nothing else of IPv6 is routed
_NAT64 = IPv6Network("64:ff9b::/96")
_PROTOCOL_ASSIGNMENTS = ip_network("192.0.0.0/24")  # older Pythons know parts of it only


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture that lies in the store. Whether it can be decoded was not looked at."""

    url: str
    """As it was given."""
    path: Path
    """STORE/ab/<sha256>, without an extension."""
    sha256: str
    """Of the file."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A URL that gave no picture, and why."""

    url: str
    """As it was given."""
    reason: str
    """One of a small set of words, to be counted; see `fetch`."""
    detail: str
    """What was found."""


def fetch(urls: Iterable[str], store: Path, config: PrepareConfig) -> Iterator[Fetched | Failed]:
    """Fetch pictures, many at once; give each URL's result as it is there, not in order, once per mention of the URL.

    What the store holds is not asked for again; what failed in an earlier run is only with `config.retry_failed`.
    Connection errors, timeouts, cut bodies and the statuses 408, 425, 429, 500, 502, 503 and 504 are tried again, after
    the time that the host names or one that grows; the connection is free for others meanwhile.

    Args:
        urls: Read on only while results are taken; may be endless. http and https; `//host/path` counts as https.
        store: Folder, made if missing. One process at a time may use it.
    Yields:
        `Fetched`, or `Failed` with one of the reasons fetch_url_invalid, fetch_address_refused (loopback, link-local,
        private and the like, judged by the address connected to, at every redirect), fetch_dns, fetch_connection,
        fetch_host_down (given up after HOST_DOWN_S without a connection), fetch_timeout, fetch_too_many_redirects,
        fetch_not_found (404, 410), fetch_forbidden (401, 403), fetch_http_error (other statuses), fetch_truncated,
        fetch_too_many_bytes (also once decompressed) or fetch_not_a_picture (HTML, JSON or XML).
    Raises:
        EtalageError: another process uses the store, or its table is damaged or of another version.
    """
    wanted: Counter[str] = Counter()  # mentions of the URLs in hand

    with _Store(store, retry_failed=config.retry_failed) as shelf, _Crew(config, shelf) as crew:

        def settle(*, wait: bool) -> Iterator[Fetched | Failed]:
            outcomes = crew.take(wait=wait)
            shelf.record(outcomes)
            for outcome in outcomes:
                for _ in range(wanted.pop(outcome.result.url)):
                    yield outcome.result

        for url in urls:
            if url in wanted:
                wanted[url] += 1
            elif isinstance(target := _parse_or_fail(url), Failed):
                yield target
            elif (known := shelf.find(url)) is not None:
                yield known
            else:
                while len(wanted) >= WINDOW:
                    yield from settle(wait=True)
                wanted[url] += 1
                crew.ask(_Job(url, target, target))
            if crew.has_news():
                yield from settle(wait=False)
        while wanted:
            yield from settle(wait=True)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, judged by the IPv4 address within, if it embeds one."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        return ip in _GLOBAL_UNICAST and ip.is_global
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip in _PROTOCOL_ASSIGNMENTS)


@dataclass(frozen=True, slots=True)
class _Job:
    url: str  # as given
    first: URL  # to begin again from, since what a redirect leads to may expire
    target: URL
    hops: int = 0
    tries: int = 1

    @property
    def host(self) -> str:
        return self.target.raw_host or ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Fetched | Failed
    num_bytes: int
    tries: int


class _Unfetched(Exception):
    """An answer, or none, that gave no picture."""

    def __init__(
        self, reason: str, detail: str, *, again: bool = False, wait_s: float | None = None, unreached: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail
        self.again = again
        """Whether another try may help."""
        self.wait_s = wait_s
        """What the host asked to wait for."""
        self.unreached = unreached
        """Whether no connection could be made."""


class _Redirected(Exception):
    def __init__(self, target: URL) -> None:
        super().__init__(str(target))
        self.target = target


class _Refused(OSError):
    """An address that is not connected to. The errno tells the client that this is no timeout."""


class _StoreBroken(Exception):
    """The disk failed, not the host; ends the whole run with its cause."""


class _Store:
    """The pictures and the table of what was fetched. All but `keep` is called by the caller's thread."""

    def __init__(self, folder: Path, *, retry_failed: bool) -> None:
        self.folder = folder
        self.aside = folder / ".aside"
        self._retry_failed = retry_failed
        self._run = time.time_ns()
        self._names = count()

    def __enter__(self) -> "_Store":
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "fetched.lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system lets go of it when we are killed
            shutil.rmtree(self.aside, ignore_errors=True)  # what killed runs have left
            self.aside.mkdir(exist_ok=True)
            self._table = self._open_table()
        except BlockingIOError:
            self._lock.close()
            raise EtalageError(
                f"{self.folder}: another process fetches into this folder; wait for it, or name another by --downloads"
            ) from None
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._table.close()
        shutil.rmtree(self.aside, ignore_errors=True)
        self._lock.close()

    def _open_table(self) -> sqlite3.Connection:
        path = self.folder / "fetched.sqlite"
        table = sqlite3.connect(path, check_same_thread=False)  # a generator may be closed by another thread
        try:
            table.execute("PRAGMA journal_mode = WAL")
            table.execute("PRAGMA synchronous = NORMAL")
            version = table.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, 1):
                raise EtalageError(f"{path} is of version {version}, this etalage knows version 1; name another folder")
            table.execute(
                "CREATE TABLE IF NOT EXISTS fetched (url TEXT PRIMARY KEY, sha256 TEXT, num_bytes INTEGER, reason TEXT,"
                " detail TEXT, tries INTEGER NOT NULL, run INTEGER NOT NULL) WITHOUT ROWID"
            )
            table.execute("PRAGMA user_version = 1")
            table.commit()
        except sqlite3.DatabaseError as error:
            table.close()
            raise EtalageError(f"{path}: {error}; remove it (the pictures will be fetched again)") from error
        except BaseException:
            table.close()
            raise
        return table

    def find(self, url: str) -> Fetched | Failed | None:
        """What is known of a URL, if it need not be asked for."""
        row = self._table.execute(
            "SELECT sha256, num_bytes, reason, detail, run FROM fetched WHERE url = ?", (_storable(url),)
        ).fetchone()
        if row is None:
            return None
        sha256, num_bytes, reason, detail, run = row
        if reason is not None:
            forgotten = run != self._run and (self._retry_failed or reason in JUDGED_ANEW)
            return None if forgotten else Failed(url, reason, detail)
        path = self.path(sha256)
        try:
            whole = path.stat().st_size == num_bytes  # a power cut may keep the row and lose the bytes
        except OSError:
            whole = False
        return Fetched(url, path, sha256) if whole else None

    def record(self, outcomes: Iterable[_Outcome]) -> None:
        rows: list[tuple[str | int | None, ...]] = []
        for outcome in outcomes:
            match outcome.result:
                case Fetched(url, _, sha256):
                    rows.append((_storable(url), sha256, outcome.num_bytes, None, None, outcome.tries, self._run))
                case Failed(url, reason, detail):
                    rows.append((_storable(url), None, None, reason, _storable(detail), outcome.tries, self._run))
        with self._table:
            self._table.executemany("INSERT OR REPLACE INTO fetched VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def keep(self, body: IO[bytes]) -> tuple[str, int]:
        """Put a picture in its place. Safe in many threads at once.

        Returns:
            sha256 and number of bytes.
        """
        aside = self.aside / str(next(self._names))
        digest = hashlib.sha256()
        body.seek(0)
        with aside.open("wb") as file:
            while piece := body.read(_PIECE_BYTES):
                digest.update(piece)
                file.write(piece)
            num_bytes = file.tell()
        path = self.path(digest.hexdigest())
        try:
            aside.replace(path)
        except FileNotFoundError:  # the first of its folder
            path.parent.mkdir(exist_ok=True)
            aside.replace(path)
        return digest.hexdigest(), num_bytes


class _Resolver(AbstractResolver):
    """The system's resolver, in threads of its own, without the addresses that are refused."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._threads = ThreadPoolExecutor(32, "resolve")  # they mostly wait

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        def look_up() -> list[ResolveResult]:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
            return [
                ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=flags)
                for kind, _, proto, _, address in found
            ]

        results = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        allowed = [result for result in results if self._allow_private or is_public(result["host"])]
        if not allowed:
            raise _Refused(0, f"{host} is at {', '.join(sorted({result['host'] for result in results}))}")
        return allowed

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Crew:
    """The event loop in its thread: which URL is asked for when, and what came of it."""

    def __init__(self, config: PrepareConfig, store: _Store) -> None:
        self._config, self._store = config, store
        self._outcomes: SimpleQueue[_Outcome | BaseException] = SimpleQueue()
        self._waiting: dict[str, deque[_Job]] = {}  # by host; no host without a job
        self._ready: OrderedDict[str, None] = OrderedDict()  # hosts that may be asked and have a job, next one first
        self._active: Counter[str] = Counter()
        self._num_active = 0
        self._unreached: dict[str, tuple[float, int]] = {}  # by host: since when, and how often in a row
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def __enter__(self) -> "_Crew":
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        while self.has_news():  # no need to ask for these again, either
            if isinstance(outcome := self._outcomes.get(), _Outcome):
                self._store.record([outcome])

    # of the caller's thread

    def ask(self, job: _Job) -> None:
        try:
            self._loop.call_soon_threadsafe(self._enqueue, job)
        except RuntimeError:  # the loop is closed
            self.take(wait=True)
            raise

    def has_news(self) -> bool:
        return not self._outcomes.empty()

    def take(self, *, wait: bool) -> list[_Outcome]:
        """All that is there; at least one if asked to wait. Raises what ended the loop's thread."""
        outcomes: list[_Outcome] = []
        try:
            while True:
                outcome = self._outcomes.get(block=wait and not outcomes)
                if isinstance(outcome, _StoreBroken):
                    raise outcome.__cause__ or outcome
                if isinstance(outcome, BaseException):
                    raise outcome
                outcomes.append(outcome)
        except Empty:
            return outcomes

    # of the loop's thread

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._outcomes.put(error)
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        connector = aiohttp.TCPConnector(
            limit=0,  # we count ourselves: who waits in the connector holds a slot, and its timeout runs
            ttl_dns_cache=300,
            resolver=_Resolver(allow_private=self._config.allow_private),
            socket_factory=self._open_socket,
        )
        timeout = aiohttp.ClientTimeout(
            total=None, connect=self._config.connect_timeout_s, sock_read=self._config.first_byte_timeout_s
        )
        headers = {"User-Agent": f"etalage/{__version__} (+picture intake)", "Accept": _ACCEPT}
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            headers={**headers, "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # it would do so without a bound
            max_field_size=65536,
        ) as self._session:
            with ThreadPoolExecutor(4, "keep") as self._keepers:
                self._started.set()
                await self._stop.wait()
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def _open_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """Called with the address of each connection before it is made, whatever the host was called."""
        family, kind, proto, _, address = info
        if not self._config.allow_private and not is_public(str(address[0])):
            raise _Refused(0, f"the host is at {address[0]}")
        opened = socket.socket(family, kind, proto)
        self._sockets.add(opened)
        return opened

    def _enqueue(self, job: _Job, *, first: bool = False) -> None:
        jobs = self._waiting.setdefault(job.host, deque())
        if first:
            jobs.appendleft(job)
        else:
            jobs.append(job)
        self._mark_ready(job.host)
        self._dispatch()

    def _mark_ready(self, host: str) -> None:
        if host in self._waiting and self._active[host] < self._config.connections_per_host:
            self._ready[host] = None

    def _dispatch(self) -> None:
        """Start what connections are free for, one of each host in turn."""
        while self._ready and self._num_active < self._config.num_connections and not self._stop.is_set():
            host, _ = self._ready.popitem(last=False)
            job = self._waiting[host].popleft()
            if not self._waiting[host]:
                del self._waiting[host]
            self._num_active += 1
            self._active[host] += 1
            self._mark_ready(host)
            task = self._loop.create_task(self._do(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _do(self, job: _Job) -> None:
        try:
            with SpooledTemporaryFile(_SPILL_BYTES, dir=str(self._store.aside)) as body:
                try:
                    there = await self._try(job, body)
                finally:
                    self._leave(job.host)  # which another may ask while this picture is written
                if there:
                    sha256, num_bytes = await self._loop.run_in_executor(self._keepers, self._store.keep, body)
                    path = self._store.path(sha256)
                    self._outcomes.put(_Outcome(Fetched(job.url, path, sha256), num_bytes, job.tries))
        except Exception as error:  # of the disk, or a mistake of ours: ends the whole run
            self._outcomes.put(error)
        finally:
            self._num_active -= 1
            self._dispatch()

    def _leave(self, host: str) -> None:
        self._active[host] -= 1
        if not self._active[host]:
            del self._active[host]
        self._mark_ready(host)
        self._dispatch()

    async def _try(self, job: _Job, body: IO[bytes]) -> bool:
        """Ask once. Whether the picture is there; if not, that was told or the job comes again."""
        since, failures = self._unreached.get(job.host, (0.0, 0))
        try:
            if failures >= HOST_DOWN_FAILURES and time.monotonic() - since >= HOST_DOWN_S:
                raise _Unfetched("fetch_host_down", f"{failures} attempts in a row found no connection", unreached=True)
            await self._ask(job, body)
            self._unreached.pop(job.host, None)
            return True
        except _Redirected as redirected:
            self._unreached.pop(job.host, None)
            # queued anew, for the limits of the host that it leads to
            self._enqueue(replace(job, target=redirected.target, hops=job.hops + 1), first=True)
        except _Unfetched as unfetched:
            if unfetched.unreached:
                since, failures = self._unreached.get(job.host, (time.monotonic(), 0))  # others failed meanwhile
                self._unreached[job.host] = (since, failures + 1)
            else:
                self._unreached.pop(job.host, None)
            if unfetched.again and job.tries < self._config.num_tries:
                wait_s = BACKOFF_S * 2 ** (job.tries - 1) * random.uniform(0.5, 1.5)
                if unfetched.wait_s is not None:
                    wait_s = unfetched.wait_s + random.uniform(0, 0.1)
                again = replace(job, target=job.first, hops=0, tries=job.tries + 1)
                self._loop.call_later(wait_s, self._enqueue, again)
            else:
                tries = f" (try {job.tries} of {self._config.num_tries})" if unfetched.again else ""
                failed = Failed(job.url, unfetched.reason, f"{unfetched.detail[:180]}{tries}")
                self._outcomes.put(_Outcome(failed, 0, job.tries))
        return False

    async def _ask(self, job: _Job, body: IO[bytes]) -> None:
        """Fetch into `body`. Raises _Unfetched, _Redirected or _StoreBroken."""
        try:
            async with (
                asyncio.timeout(self._config.transfer_timeout_s) as whole,
                self._session.get(job.target, allow_redirects=False) as response,
            ):
                try:
                    _check_head(job, response, self._config.max_image_bytes)
                except (_Unfetched, _Redirected):
                    await _drain(response)
                    raise
                await self._read(response, body)
                if len(self._sockets) > 2 * self._config.num_connections:
                    response.close()  # too many hosts to keep a connection open to each
        except TimeoutError as error:
            config = self._config
            if whole.expired():
                found = f"not through in {config.transfer_timeout_s:g} s"
            elif isinstance(error, aiohttp.ConnectionTimeoutError):
                found = f"no connection in {config.connect_timeout_s:g} s"
            else:
                found = f"nothing came for {config.first_byte_timeout_s:g} s"
            unreached = isinstance(error, aiohttp.ConnectionTimeoutError)
            raise _Unfetched("fetch_timeout", found, again=True, unreached=unreached) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _explained(error) from error

    async def _read(self, response: aiohttp.ClientResponse, body: IO[bytes]) -> None:
        limit, num_bytes, head = self._config.max_image_bytes, 0, b""
        try:
            async for piece in _decompressed(response):
                num_bytes += len(piece)
                if num_bytes > limit:
                    raise _Unfetched("fetch_too_many_bytes", f"more than the {limit} that are read")
                if len(head) < 256:
                    head += piece[: 256 - len(head)]
                try:
                    body.write(piece)
                except OSError as error:
                    raise _StoreBroken from error
        except TimeoutError:
            raise
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, ConnectionError) as error:
            found = f"{num_bytes} bytes came of {response.headers.get('Content-Length', 'an unknown number')}"
            raise _Unfetched("fetch_truncated", found, again=True) from error
        if not _MAGIC.match(head):
            kind = response.headers.get("Content-Type", "")
            if kind.partition(";")[0].strip().lower() == "text/html" or _TEXT.fullmatch(head):
                raise _Unfetched("fetch_not_a_picture", f"{kind[:50]!r} that begins {head[:60]!r}")
            if (encoding := _encoding(response)) in ("br", "zstd", "compress"):
                raise _Unfetched("fetch_not_a_picture", f"compressed by {encoding}, which was not asked for")


def _check_head(job: _Job, response: aiohttp.ClientResponse, max_image_bytes: int) -> None:
    status = response.status
    location = response.headers.get("Location")
    if status in (301, 302, 303, 307, 308) and location:
        if job.hops >= MAX_REDIRECTS:
            raise _Unfetched("fetch_too_many_redirects", f"more than {MAX_REDIRECTS}, the last to {location[:100]!r}")
        raise _Redirected(_parse(location, str(job.target)))
    if status not in (200, 203):
        again = status in RETRIED_STATUS
        wait_s = _retry_after(response.headers.get("Retry-After", "")) if again else None
        reason = _REASONS.get(status, "fetch_http_error")
        raise _Unfetched(reason, f"HTTP {status} {(response.reason or '')[:50]}".strip(), again=again, wait_s=wait_s)
    if (length := response.content_length) is not None and length > max_image_bytes:
        raise _Unfetched("fetch_too_many_bytes", f"{length}, at most {max_image_bytes} are read")


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Take a short rest of an answer that is not wanted, so that its connection can be used again."""
    if (response.content_length or 0) > _PIECE_BYTES:
        return
    try:
        async with asyncio.timeout(1):
            num_bytes = 0
            async for piece in response.content.iter_any():
                num_bytes += len(piece)
                if num_bytes > _PIECE_BYTES:
                    return
    except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
        return


async def _decompressed(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body as it is meant, in pieces of bounded size. None is asked to compress; some do, some only say so."""
    encoding = _encoding(response)
    inflate = None
    first = True
    async for piece in response.content.iter_any():
        if first:
            first = False
            if encoding in ("gzip", "x-gzip") and b"\x1f\x8b".startswith(piece[:2]):
                inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
            elif encoding == "deflate" and not _MAGIC.match(piece):
                wrapped = piece[0] & 0x0F == 8  # as it should be; some send the bare stream
                inflate = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        if inflate is None:
            yield piece
            continue
        while not inflate.eof:
            try:
                out = inflate.decompress(piece, _PIECE_BYTES)
            except zlib.error as error:
                raise _Unfetched("fetch_not_a_picture", f"{encoding} that cannot be read: {error}") from error
            yield out
            piece = inflate.unconsumed_tail
            if not piece and len(out) < _PIECE_BYTES:
                break
    if inflate is not None and not inflate.eof:
        raise _Unfetched("fetch_truncated", f"{encoding} without its end", again=True)


def _encoding(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("Content-Encoding", "").strip().lower()


def _explained(error: aiohttp.ClientError | OSError | ValueError) -> _Unfetched:
    cause: Exception = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    words = f"{type(cause).__name__}: {cause}"
    if isinstance(cause, _Refused):
        return _Unfetched("fetch_address_refused", f"{cause.strerror}; to fetch from there, pass --allow-private")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _Unfetched("fetch_dns", words, again=error.os_error.errno == socket.EAI_AGAIN, unreached=True)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _Unfetched("fetch_connection", f"certificate: {error.certificate_error}")
    if isinstance(error, aiohttp.ClientResponseError):
        return _Unfetched("fetch_http_error", f"not HTTP: {error.message}")
    if isinstance(error, (aiohttp.InvalidURL, UnicodeError)):
        return _Unfetched("fetch_url_invalid", words)
    return _Unfetched("fetch_connection", words, again=True, unreached=isinstance(error, aiohttp.ClientConnectorError))


def _parse_or_fail(url: str) -> URL | Failed:
    try:
        return _parse(url)
    except _Unfetched as unfetched:
        return Failed(url, unfetched.reason, unfetched.detail)


def _parse(text: str, base: str = "") -> URL:
    """Read a URL as people write it: spaces and letters of any script are quoted, what is quoted stays as it is."""
    shown = repr(text[:100])
    text = text.strip()
    try:
        text = urljoin(base, text) if base else f"https:{text}" if text.startswith("//") else text
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        if parts.scheme not in ("http", "https"):
            raise _Unfetched("fetch_url_invalid", f"{shown}: only http and https are fetched")
        if "@" in parts.netloc:
            raise _Unfetched("fetch_url_invalid", f"{shown}: a user's name is given; none is sent")
        if not host.isascii():
            host = idna.encode(host, uts46=True).decode()
        if ":" in host:
            host = f"[{IPv6Address(host)}]"
        elif not _HOST.fullmatch(host):
            raise _Unfetched("fetch_url_invalid", f"{shown}: {host[:100]!r} is no host")
        path, query = (_quoted(part) for part in (parts.path or "/", parts.query))
    except ValueError as error:  # idna's errors and Unicode's are ValueErrors, too
        raise _Unfetched("fetch_url_invalid", f"{shown}: {error}"[:200]) from error
    netloc = host if port is None else f"{host}:{port}"
    return URL(f"{parts.scheme}://{netloc}{path}{'?' if query else ''}{query}", encoded=True)


def _quoted(text: str) -> str:
    return re.sub("%(?![0-9a-fA-F]{2})", "%25", quote(text, safe=_URL_SAFE, errors="surrogateescape"))


def _retry_after(text: str) -> float | None:
    """Seconds to wait, from a number or an HTTP date; None without either."""
    text = text.strip()
    if text.isdecimal():
        wait_s = float(text)
    else:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        if until.tzinfo is None:  # which is what -0000 gives
            until = until.replace(tzinfo=UTC)
        wait_s = (until - datetime.now(UTC)).total_seconds()
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
