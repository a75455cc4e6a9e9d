"""URLs as people write them -> URLs that can be requested."""

import re
from ipaddress import IPv6Address
from urllib.parse import quote, urljoin, urlsplit

import idna
from yarl import URL

from etalage.catalogue.download.results import FetchError

__all__ = ["parse_url"]

_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,252})")
_SAFE_CHARS = "!$%&'()*+,/:;=?@[]~"


def parse_url(text: str, base: str = "") -> URL:
    """Parse a URL leniently, as browsers do.

    Spaces and letters of any script are percent-encoded, and what is encoded already stays as it is. `//host/path`
    counts as https. Fragments are dropped.

    Args:
        text: The URL; relative to `base` where one is given.
        base: The URL of the page that names it, as for a redirect.

    Returns:
        An http or https URL, encoded.

    Raises:
        FetchError: fetch_url_invalid, for other schemes, user names, and hosts or ports that cannot exist.
    """
    shown = repr(text[:100])
    text = text.strip()
    try:
        text = urljoin(base, text) if base else f"https:{text}" if text.startswith("//") else text
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        if parts.scheme not in ("http", "https"):
            raise FetchError("fetch_url_invalid", f"{shown}: only http and https URLs are fetched")
        if "@" in parts.netloc:
            # also refuses http://shop.example@10.0.0.1/, which looks like one host and leads to another
            raise FetchError("fetch_url_invalid", f"{shown}: contains a user name, and none is sent")
        if not host.isascii():
            # UTS 46 also maps capitals and full-width letters, as browsers do.
            host = idna.encode(host, uts46=True).decode()
        if ":" in host:
            host = f"[{IPv6Address(host)}]"
        elif not _HOST.fullmatch(host):
            raise FetchError("fetch_url_invalid", f"{shown}: {host[:100]!r} is not a host name")
        path, query = (_quote(part) for part in (parts.path or "/", parts.query))
    except ValueError as error:  # errors of idna and of Unicode are ValueErrors too
        raise FetchError("fetch_url_invalid", f"{shown}: {error}"[:200]) from error
    netloc = host if port is None else f"{host}:{port}"
    # Marked as encoded: yarl would write %41 as A, but what is encoded already stays as it is.
    return URL(f"{parts.scheme}://{netloc}{path}{'?' if query else ''}{query}", encoded=True)


def _quote(text: str) -> str:
    """Percent-encode a path or query; a percent sign that starts no escape is encoded as well."""
    return re.sub("%(?![0-9a-fA-F]{2})", "%25", quote(text, safe=_SAFE_CHARS, errors="surrogateescape"))
