"""One HTTP request for one picture: its connection, its head, its time limits, and what its errors mean."""

import asyncio
import socket
import weakref
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO, Self

import aiohttp
from yarl import URL

from etalage import __version__
from etalage.catalogue.download.addresses import AddressRefusedError, CheckedResolver, open_checked_socket
from etalage.catalogue.download.body import drain, read_body
from etalage.catalogue.download.results import FetchError, Redirect
from etalage.catalogue.download.urls import parse_url
from etalage.config import PrepareConfig

__all__ = ["HttpClient", "parse_retry_after"]

MAX_REDIRECTS = 5
MAX_RETRY_AFTER_S = 60.0
"""Hosts may ask for a longer wait; they are then asked too early, since few pictures are worth the wait."""

RETRIED_STATUSES = frozenset((408, 425, 429, 500, 502, 503, 504))

_REASONS = {401: "fetch_forbidden", 403: "fetch_forbidden", 404: "fetch_not_found", 410: "fetch_not_found"}
_REDIRECT_STATUSES = frozenset((301, 302, 303, 307, 308))
# without it, some hosts send formats that Pillow cannot read
_ACCEPT = "image/jpeg, image/png, image/webp, image/gif, */*;q=0.5"
_MAX_FIELD_BYTES = 65536  # of a header; some hosts send policies and cookies beyond aiohttp's 8 KiB
_DNS_CACHE_S = 300


class HttpClient:
    """An HTTP client that streams pictures into files, within the limits of a configuration.

    An async context manager.

    Args:
        config: Holds the time limits, the limit of bytes and whether private addresses may be connected to.
    """

    def __init__(self, config: PrepareConfig) -> None:
        self._config = config
        # Weak, so that sockets that aiohttp has let go no longer count.
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    async def __aenter__(self) -> Self:
        config = self._config
        connector = aiohttp.TCPConnector(
            limit=0,  # the scheduler counts: a request that waits in the connector would use up its connect timeout
            ttl_dns_cache=_DNS_CACHE_S,
            resolver=CheckedResolver(allow_private=config.allow_private),
            socket_factory=self._open_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            # No total: `get` has a timeout of its own, by which its message can say which limit was exceeded.
            timeout=aiohttp.ClientTimeout(
                total=None, connect=config.connect_timeout_s, sock_read=config.first_byte_timeout_s
            ),
            headers={
                "User-Agent": f"etalage/{__version__} (+picture intake)",
                "Accept": _ACCEPT,
                "Accept-Encoding": "identity",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # aiohttp decompresses without a bound
            max_field_size=_MAX_FIELD_BYTES,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    def _open_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        opened = open_checked_socket(info, allow_private=self._config.allow_private)
        self._sockets.add(opened)
        return opened

    async def get(self, url: URL, body: IO[bytes], num_redirects: int = 0) -> None:
        """Request a picture and write it to a file.

        Args:
            url: The URL to request.
            body: The file to write to.
            num_redirects: Redirects followed so far.

        Raises:
            FetchError: The answer, or its absence, gives no picture.
            Redirect: The answer names another URL.
            BodyWriteError: The disk failed.
        """
        config = self._config
        try:
            async with (
                asyncio.timeout(config.transfer_timeout_s) as transfer,
                # A redirect becomes a job of its own, under the limits of the host that it leads to.
                self._session.get(url, allow_redirects=False) as response,
            ):
                try:
                    _check_head(response, url, num_redirects, config.max_image_bytes)
                except (FetchError, Redirect):
                    await drain(response)
                    raise
                await read_body(response, body, config.max_image_bytes)
                if len(self._sockets) > 2 * config.num_connections:
                    response.close()  # with many hosts, one idle connection to each would exhaust the file handles
        # Before OSError, of which it is a subclass.
        except TimeoutError as error:
            no_connection = isinstance(error, aiohttp.ConnectionTimeoutError)
            if transfer.expired():
                detail = f"the transfer took longer than {config.transfer_timeout_s:g} s"
            elif no_connection:
                detail = f"no connection within {config.connect_timeout_s:g} s"
            else:
                detail = f"no data for {config.first_byte_timeout_s:g} s"
            raise FetchError("fetch_timeout", detail, retryable=True, unreachable=no_connection) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _to_fetch_error(error) from error


def _check_head(response: aiohttp.ClientResponse, url: URL, num_redirects: int, max_bytes: int) -> None:
    """Raise FetchError or Redirect unless a picture follows."""
    status = response.status
    location = response.headers.get("Location")
    if status in _REDIRECT_STATUSES and location:
        if num_redirects >= MAX_REDIRECTS:
            detail = f"more than {MAX_REDIRECTS} redirects, the last to {location[:100]!r}"
            raise FetchError("fetch_too_many_redirects", detail)
        raise Redirect(parse_url(location, str(url)))
    if status not in (200, 203):
        retryable = status in RETRIED_STATUSES
        raise FetchError(
            _REASONS.get(status, "fetch_http_error"),
            f"HTTP {status} {(response.reason or '')[:50]}".strip(),
            retryable=retryable,
            retry_after_s=parse_retry_after(response.headers.get("Retry-After", "")) if retryable else None,
        )
    if (length := response.content_length) is not None and length > max_bytes:
        raise FetchError("fetch_too_many_bytes", f"{length} bytes, more than the limit of {max_bytes}")


def parse_retry_after(text: str) -> float | None:
    """Return the seconds to wait that a Retry-After header asks for, at most MAX_RETRY_AFTER_S.

    Args:
        text: The header's value: a number of seconds or an HTTP date.

    Returns:
        Seconds, or None if the value is neither.

    Source: RFC 9110, section 10.2.3.
    """
    text = text.strip()
    if text.isdecimal():
        wait_s = float(text)
    else:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        if until.tzinfo is None:  # as from the time zone -0000
            until = until.replace(tzinfo=UTC)
        wait_s = (until - datetime.now(UTC)).total_seconds()
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)


def _to_fetch_error(error: aiohttp.ClientError | OSError | ValueError) -> FetchError:
    """Return the reason behind an error of the client, and whether another try may help."""
    cause: Exception = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    detail = f"{type(cause).__name__}: {cause}".removesuffix(": ")
    if isinstance(cause, AddressRefusedError):
        return FetchError("fetch_address_refused", f"{cause.strerror}; to fetch from there, pass --allow-private")
    # Special errors first: this one and the next are also ClientConnectorErrors.
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        is_temporary = error.os_error.errno == socket.EAI_AGAIN
        return FetchError("fetch_dns", detail, retryable=is_temporary, unreachable=True)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return FetchError("fetch_connection", f"certificate: {error.certificate_error}")
    if isinstance(error, aiohttp.ClientResponseError):
        return FetchError("fetch_http_error", f"not HTTP: {error.message}")
    if isinstance(error, (aiohttp.InvalidURL, UnicodeError)):
        return FetchError("fetch_url_invalid", detail)
    no_connection = isinstance(error, aiohttp.ClientConnectorError)
    return FetchError("fetch_connection", detail, retryable=True, unreachable=no_connection)
