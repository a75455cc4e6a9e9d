"""Bodies of answers: compression undone, size bounded, and anything that is clearly no picture refused."""

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from typing import IO

import aiohttp

from etalage.catalogue.download.results import FetchError
from etalage.catalogue.pictures.formats import describe_format

__all__ = ["BodyWriteError", "drain", "read_body"]

CHUNK_BYTES = 1 << 18

_DRAIN_TIMEOUT_S = 1.0
_HEAD_BYTES = 4096
# In TIFF's heads, * stands for 42 and + for 43, which is BigTIFF; `ftyp` is in those of AVIF and HEIC.
_PICTURE_MAGIC = re.compile(rb"(?s)\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|BM|II[*+]\0|MM\0[*+]|....ftyp")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*[<{\[][^\x00-\x08\x0e-\x1f]*")  # HTML, JSON or XML
_GZIP_MAGIC = b"\x1f\x8b"


class BodyWriteError(Exception):
    """Raised when a body cannot be written; its cause is the error of the disk, which ends the whole run."""


async def read_body(response: aiohttp.ClientResponse, body: IO[bytes], max_bytes: int) -> None:
    """Write the body of an answer to a file.

    Args:
        response: An answer whose head has been read.
        body: The file to write to.
        max_bytes: The most bytes that are taken, after decompression.

    Raises:
        FetchError: fetch_too_many_bytes, fetch_truncated or fetch_not_a_picture.
        TimeoutError: Nothing came for too long.
        BodyWriteError: The disk failed.
    """
    num_bytes, head = 0, b""
    try:
        async for chunk in _decompress(response):
            num_bytes += len(chunk)
            if num_bytes > max_bytes:
                raise FetchError("fetch_too_many_bytes", f"more than the limit of {max_bytes} bytes")
            if len(head) < _HEAD_BYTES:
                head += chunk[: _HEAD_BYTES - len(head)]
            try:
                body.write(chunk)
            except OSError as error:
                raise BodyWriteError from error
    except TimeoutError:  # also an OSError, but no cut connection
        raise
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, ConnectionError) as error:
        expected = response.headers.get("Content-Length", "an unknown number")
        raise FetchError("fetch_truncated", f"{num_bytes} of {expected} bytes received", retryable=True) from error
    _refuse_markup(response, head)


def _refuse_markup(response: aiohttp.ClientResponse, head: bytes) -> None:
    """Refuse what is clearly no picture; formats that are merely unknown are left to the decoder."""
    known = describe_format(head)
    # Also to the decoder: what it refuses by name, such as an SVG drawing.
    if _PICTURE_MAGIC.match(head) or (known and known[0] == "image_format_unsupported"):
        return
    content_type = response.headers.get("Content-Type", "")
    if content_type.partition(";")[0].strip().lower() == "text/html" or _MARKUP.fullmatch(head):
        raise FetchError("fetch_not_a_picture", f"{content_type[:50]!r} that begins with {head[:60]!r}")
    if (encoding := _content_encoding(response)) in ("br", "zstd", "compress"):
        raise FetchError("fetch_not_a_picture", f"compressed with {encoding}, which was not asked for")


async def drain(response: aiohttp.ClientResponse) -> None:
    """Read the short rest of an unwanted answer, so that its connection can be used again.

    Args:
        response: An answer whose body is not wanted.
    """
    if (response.content_length or 0) > CHUNK_BYTES:
        return
    try:
        async with asyncio.timeout(_DRAIN_TIMEOUT_S):
            num_bytes = 0
            async for chunk in response.content.iter_any():
                num_bytes += len(chunk)
                if num_bytes > CHUNK_BYTES:
                    return
    except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
        return


async def _decompress(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the body in chunks of bounded size, decompressed where the host compressed it.

    No host is asked to compress. Some do nevertheless, and some only claim to: the first bytes decide.
    """
    encoding = _content_encoding(response)
    inflate = None
    is_first = True
    async for chunk in response.content.iter_any():
        if is_first:
            is_first = False
            # The first chunk may be a single byte.
            if encoding in ("gzip", "x-gzip") and _GZIP_MAGIC.startswith(chunk[:2]):
                inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
            elif encoding == "deflate" and not _PICTURE_MAGIC.match(chunk):
                has_header = chunk[0] & 0x0F == 8  # as RFC 9110 wants it; some hosts send the bare stream
                inflate = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        if inflate is None:
            yield chunk
            continue
        while not inflate.eof:
            try:
                out = inflate.decompress(chunk, CHUNK_BYTES)  # bounded: a small body may hold gigabytes of zeros
            except zlib.error as error:
                raise FetchError("fetch_not_a_picture", f"{encoding} that cannot be decompressed: {error}") from error
            yield out
            chunk = inflate.unconsumed_tail
            # A full output may have left some behind, even where all input is used.
            if not chunk and len(out) < CHUNK_BYTES:
                break
    if inflate is not None and not inflate.eof:
        raise FetchError("fetch_truncated", f"the {encoding} stream has no end", retryable=True)


def _content_encoding(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("Content-Encoding", "").strip().lower()
