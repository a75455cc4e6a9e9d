"""The pictures of a sample, answered as shops answer: late, slowly, and now and then not at all.

On the machine's own address, for `prepare --allow-private`. The faults that the sample's manifest plants in the server
(too-many-requests, server-error, flaky) happen here, and as many by chance as are asked for.
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
from etalage.sample.faults import MANIFEST, Planted, read_planted

__all__ = ["Manner", "Server", "serve", "serving"]

IMAGES = "images"
"""Folder of the sample; nothing outside it is given out."""

RETRY_AFTER_S = 1
MAX_CHANCE_TRIES = 2
"""Requests for a picture that may fail by chance; the third and later ones do not, so that what is expected of the
picture holds however often others fail."""

_CHANCES = ("500", "503", "reset")
_PIECE_BYTES = 1 << 12


class Manner(TypedDict, total=False):
    """How a server answers; see `serving`."""

    host: str
    port: int
    latency_ms: float
    error_rate: float
    bandwidth_kib_s: float | None


@dataclass
class Server:
    """A server that runs, and what it has done."""

    url: str
    """With its slash: a picture's path in the sample goes right behind it."""
    asked: Counter[str] = field(default_factory=Counter)
    """Requests by path."""
    answers: Counter[str] = field(default_factory=Counter)
    """By status, and `reset` for connections that either side broke off."""

    @property
    def summary(self) -> str:
        """Such as: 12 requests answered: 10 x 200, 2 x 404."""
        counts = ", ".join(f"{count} x {answer}" for answer, count in sorted(self.answers.items()))
        total = self.answers.total()
        return f"{total} request{'s' * (total != 1)} answered{counts and ': '}{counts}"


def serve(out: Path, say: Callable[[str], None] = print, **manner: Unpack[Manner]) -> None:
    """Answer a sample's pictures until Ctrl-C; say where, and in the end how many requests were answered how.

    Args and Raises: as for `serving`.
    """
    with serving(out, **manner) as server:
        with suppress(KeyboardInterrupt):
            say(f"{out / IMAGES} is at {server.url}{IMAGES}; Ctrl-C ends")
            threading.Event().wait()
        say(server.summary)


@contextmanager
def serving(
    out: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    latency_ms: float = 0.0,
    error_rate: float = 0.0,
    bandwidth_kib_s: float | None = None,
) -> Iterator[Server]:
    """Answer a sample's pictures, in a thread, while the block runs.

    What was asked how often is forgotten at the end: started again, the same requests get the same answers.

    Args:
        out: Folder that `sample` wrote. Nothing but files in its folder of pictures is given out.
        port: 0 takes a free one.
        latency_ms: Before each answer.
        error_rate: Share of the first two requests for each picture that fail by chance: 500, 503, or the connection
            is reset.
        bandwidth_kib_s: Of each connection; None for as fast as it goes.
    Raises:
        EtalageError: `out` is no sample, its manifest is damaged, or the port cannot be had.
    """
    shop = _Shop(out, read_planted(out / MANIFEST), latency_ms / 1000, error_rate, bandwidth_kib_s)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="serve", daemon=True)
    thread.start()
    try:
        runner = asyncio.run_coroutine_threadsafe(shop.open(host, port), loop).result()
        shop.server.url = str(URL.build(scheme="http", host=host, port=runner.addresses[0][1], path="/"))
        try:
            yield shop.server
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


class _Shop:
    """What answers. All but the constructor runs in the loop's thread."""

    def __init__(
        self, out: Path, faults: list[Planted], latency_s: float, error_rate: float, bandwidth_kib_s: float | None
    ) -> None:
        self.server = Server("")
        self._images = out.resolve() / IMAGES
        self._faults: Mapping[str, Planted] = {fault["picture"]: fault for fault in faults if fault["picture"]}
        self._latency_s, self._error_rate, self._bandwidth_kib_s = latency_s, error_rate, bandwidth_kib_s

    async def open(self, host: str, port: int) -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise EtalageError(
                f"port {port} of {host} cannot be had: {error}; name another by --port, or 0 for any that is free"
            ) from error
        return runner

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            answer = await self._answer(request)
        except ConnectionError:
            self.server.answers["reset"] += 1
            return web.Response()  # that nobody reads
        self.server.answers[str(answer.status)] += 1
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        path = request.match_info["path"]
        self.server.asked[path] += 1
        trouble = self._trouble(path, self.server.asked[path])
        await asyncio.sleep(self._latency_s)
        if trouble == "reset":
            _reset(request)
        if trouble:
            headers = {"Retry-After": str(RETRY_AFTER_S)} if trouble == "429" else {}
            return web.Response(status=int(trouble), headers=headers)
        content = await asyncio.to_thread(self._read, path)
        if content is None:
            return web.Response(status=404)
        if self._bandwidth_kib_s is None or request.method == "HEAD":
            return web.Response(body=content, content_type=self._content_type(path))
        return await self._trickle(request, content, self._bandwidth_kib_s)

    def _trouble(self, path: str, tries: int) -> str:
        """What goes wrong this time: a status, `reset`, or nothing."""
        fault = self._faults.get(path)
        if fault and fault["kind"] == "server-error":
            return "500"
        if fault and tries == 1 and fault["kind"] == "too-many-requests":
            return "429"
        if fault and tries == 1 and fault["kind"] == "flaky":
            return "reset" if fault["detail"] == "reset" else "500"
        rng = random.Random(f"{path} {tries}")
        by_chance = tries <= MAX_CHANCE_TRIES and rng.random() < self._error_rate
        return rng.choice(_CHANCES) if by_chance else ""

    def _read(self, path: str) -> bytes | None:
        """A file in the folder of pictures; nothing for any other path, and for links that lead out of it."""
        if not path.startswith(f"{IMAGES}/"):
            return None
        try:
            file = resolve_picture(self._images, path.removeprefix(f"{IMAGES}/"))
            return file.read_bytes() if file.is_file() else None
        except (BadPicture, OSError):
            return None

    def _content_type(self, path: str) -> str:
        fault = self._faults.get(path)
        if fault and fault["kind"] == "html-page":
            return "text/html"
        return mimetypes.guess_type(path)[0] or "application/octet-stream"

    async def _trickle(self, request: web.Request, content: bytes, kib_s: float) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.content_type, answer.content_length = self._content_type(request.match_info["path"]), len(content)
        await answer.prepare(request)
        for start in range(0, len(content), _PIECE_BYTES):
            piece = content[start : start + _PIECE_BYTES]
            await asyncio.sleep(len(piece) / 1024 / kib_s)
            await answer.write(piece)
        return answer


def _reset(request: web.Request) -> NoReturn:
    """Break the connection off so that the client is told so at once."""
    if request.transport is not None:
        linger = struct.pack("ii", 1, 0)
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.transport.abort()
    raise ConnectionResetError
