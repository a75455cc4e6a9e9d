"""An HTTP server for a sample's pictures that answers as shops do: late, slowly, and sometimes not at all.

It listens on this machine's own address, for `prepare --allow-private`. The faults that the sample's manifest plants in
the server (too-many-requests, server-error, flaky) happen here, and as many random failures as are asked for.
"""

import asyncio
import mimetypes
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypedDict, Unpack

from aiohttp import web
from yarl import URL

from etalage.catalogue.pictures import BadPicture, resolve_picture
from etalage.errors import EtalageError
from etalage.sample.faults import MANIFEST, PlantedFault, read_faults

__all__ = ["Server", "ServerOptions", "run_server", "serve"]

IMAGES = "images"
"""Name of the sample's folder of pictures; nothing outside it is served."""

RETRY_AFTER_S = 1
MAX_RANDOM_FAILURES = 2
"""The number of requests for a picture that may fail at random. Later ones do not, so that what the manifest expects of
the picture holds at any error rate, since `prepare` tries more often."""

_RANDOM_FAILURES = ("500", "503", "reset")
_CHUNK_BYTES = 1 << 12


class ServerOptions(TypedDict, total=False):
    """Options of `run_server`."""

    host: str
    port: int
    latency_ms: float
    error_rate: float
    bandwidth_kib_s: float | None


@dataclass
class Server:
    """A running server and its statistics."""

    url: str
    """Address with a slash at the end, to be followed by a picture's path in the sample."""
    requests: Counter[str] = field(default_factory=Counter)
    """The number of requests by path."""
    responses: Counter[str] = field(default_factory=Counter)
    """The number of responses by status, with `reset` for connections that either side broke off."""

    @property
    def summary(self) -> str:
        """The statistics as a line, such as: 12 requests answered: 10 x 200, 2 x 404."""
        counts = ", ".join(f"{count} x {status}" for status, count in sorted(self.responses.items()))
        total = self.responses.total()
        return f"{total} request{'s' * (total != 1)} answered{counts and ': '}{counts}"


def serve(sample: Path, say: Callable[[str], None] = print, **options: Unpack[ServerOptions]) -> None:
    """Serve a sample's pictures until Ctrl-C, then print how many requests were answered.

    Args:
        sample: Folder that `sample` wrote.
        say: Called with each line of output.
        **options: Options of `run_server`.

    Raises:
        EtalageError: `sample` is not a sample, its manifest is damaged, or the port cannot be used.
    """
    with run_server(sample, **options) as server:
        with suppress(KeyboardInterrupt):
            say(f"{sample / IMAGES} is at {server.url}{IMAGES}; press Ctrl-C to stop")
            threading.Event().wait()
        say(server.summary)


@contextmanager
def run_server(
    sample: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    latency_ms: float = 0.0,
    error_rate: float = 0.0,
    bandwidth_kib_s: float | None = None,
) -> Iterator[Server]:
    """Serve a sample's pictures from a thread while the block runs.

    Request counts are forgotten at the end: a server that is started again gives the same answers to the same requests.

    Args:
        sample: Folder that `sample` wrote. Only files in its folder of pictures are served.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        latency_ms: Delay before each response.
        error_rate: Share of the first two requests for each picture that fail at random: with status 500, 503, or with
            a reset of the connection.
        bandwidth_kib_s: Speed of each connection; None for no limit.

    Yields:
        The running server.

    Raises:
        EtalageError: `sample` is not a sample, its manifest is damaged, or the port cannot be used.
    """
    pictures = _PictureServer(sample, read_faults(sample / MANIFEST), latency_ms / 1000, error_rate, bandwidth_kib_s)
    # A thread of its own: the caller's may block while it fetches from here, as the tests do.
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="serve", daemon=True)
    thread.start()
    try:
        runner = asyncio.run_coroutine_threadsafe(pictures.open(host, port), loop).result()
        # The port is only known now, since 0 asks the system for a free one.
        pictures.server.url = str(URL.build(scheme="http", host=host, port=runner.addresses[0][1], path="/"))
        try:
            yield pictures.server
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())  # or its threads outlive the block
        loop.close()


class _PictureServer:
    """The request handlers. All methods but the constructor run in the event loop's thread."""

    def __init__(
        self,
        sample: Path,
        faults: list[PlantedFault],
        latency_s: float,
        error_rate: float,
        bandwidth_kib_s: float | None,
    ) -> None:
        self.server = Server("")
        self._images = sample.resolve() / IMAGES
        self._faults: Mapping[str, PlantedFault] = {fault["picture"]: fault for fault in faults if fault["picture"]}
        self._latency_s, self._error_rate, self._bandwidth_kib_s = latency_s, error_rate, bandwidth_kib_s

    async def open(self, host: str, port: int) -> web.AppRunner:
        app = web.Application()
        # One route for everything, so that unknown paths and methods are counted as well.
        app.router.add_route("*", "/{path:.*}", self._handle)
        # By default aiohttp would wait a minute for connections that clients keep open.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise EtalageError(
                f"cannot listen on port {port} of {host}: {error}; name another with --port, or 0 for any free one"
            ) from error
        return runner

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            response = await self._respond(request)
        except ConnectionError:
            self.server.responses["reset"] += 1
            return web.Response()  # aiohttp wants one, though the connection is gone
        self.server.responses[str(response.status)] += 1
        return response

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        path = request.match_info["path"]
        # Counted before the delay, so that requests that arrive together have attempts of their own.
        self.server.requests[path] += 1
        failure = self._choose_failure(path, self.server.requests[path])
        await asyncio.sleep(self._latency_s)
        if failure == "reset":
            _reset_connection(request)
        if failure:
            headers = {"Retry-After": str(RETRY_AFTER_S)} if failure == "429" else {}
            return web.Response(status=int(failure), headers=headers)
        # In a thread: a slow disk must not hold up other requests.
        content = await asyncio.to_thread(self._read, path)
        if content is None:
            return web.Response(status=404)
        if self._bandwidth_kib_s is None or request.method == "HEAD":
            return web.Response(body=content, content_type=self._content_type(path))
        return await self._send_slowly(request, content, self._bandwidth_kib_s)

    def _choose_failure(self, path: str, attempt: int) -> str:
        """Return how the request fails, as a status or `reset`; an empty string if it does not."""
        fault = self._faults.get(path)
        # Planted faults come first: what the manifest expects of them holds at any error rate.
        if fault and fault["kind"] == "server-error":
            return "500"
        if fault and attempt == 1 and fault["kind"] == "too-many-requests":
            return "429"
        if fault and attempt == 1 and fault["kind"] == "flaky":
            return "reset" if fault["detail"] == "reset" else "500"
        # Not one stream for all: concurrent requests arrive in any order.
        rng = random.Random(f"{path} {attempt}")
        fails = attempt <= MAX_RANDOM_FAILURES and rng.random() < self._error_rate
        return rng.choice(_RANDOM_FAILURES) if fails else ""

    def _read(self, path: str) -> bytes | None:
        """Return a file of the folder of pictures; None for any other path, and for links that lead out of it."""
        if not path.startswith(f"{IMAGES}/"):
            return None
        try:
            file = resolve_picture(self._images, path.removeprefix(f"{IMAGES}/"))
            return file.read_bytes() if file.is_file() else None
        except (BadPicture, OSError):
            return None

    def _content_type(self, path: str) -> str:
        fault = self._faults.get(path)
        # As an honest server would say it, though the name ends in .jpg.
        if fault and fault["kind"] == "html-page":
            return "text/html"
        return mimetypes.guess_type(path)[0] or "application/octet-stream"

    async def _send_slowly(self, request: web.Request, content: bytes, kib_s: float) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type, response.content_length = self._content_type(request.match_info["path"]), len(content)
        await response.prepare(request)
        for start in range(0, len(content), _CHUNK_BYTES):
            chunk = content[start : start + _CHUNK_BYTES]
            await asyncio.sleep(len(chunk) / 1024 / kib_s)
            await response.write(chunk)
        return response


def _reset_connection(request: web.Request) -> NoReturn:
    """Break the connection off at once, so that the client sees a reset rather than an end."""
    if request.transport is not None:
        linger = struct.pack("ii", 1, 0)  # on, for 0 seconds: closing sends RST instead of FIN
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.transport.abort()
    raise ConnectionResetError
