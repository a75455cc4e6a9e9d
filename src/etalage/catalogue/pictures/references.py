"""Pictures as a table names them: paths in its folder, data URIs and bare base64. All are untrusted input."""

import base64
import binascii
import re
import urllib.parse
from pathlib import Path

from etalage.catalogue.pictures.errors import BadPicture

__all__ = ["decode_base64", "decode_data_uri", "resolve_picture"]

CUT_LENGTHS = {32_767: "Excel", 65_535: "MySQL"}
"""The longest texts of a cell in programs that cut longer ones without a word."""

# The first bytes of JPEG, PNG, GIF, WebP, BMP and TIFF. Of the short ones, some of what follows is asked for too.
_BASE64_PICTURE = re.compile(r"/9j/|iVBORw0KGgo|R0lGOD[dl]h|UklGR[\w+/]{6}XRUJQ|Qk[\w+/]{6}AAAA|SUkqA|TU0AK")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]+={0,2}\s*")
_MIN_BASE64_CHARS = 64
_BARE = "base64 without the beginning of a data URI"


def resolve_picture(folder: Path, text: str) -> Path:
    """Return the path of a picture that a table names; nothing outside the folder is reached.

    Args:
        folder: The folder that paths start from, itself resolved.
        text: A path; it need not exist.

    Raises:
        BadPicture: image_path_invalid, or image_outside_folder for an absolute path, `..` or a link that leads out.
    """
    if "\0" in text:  # the system's calls would raise a bare ValueError
        raise BadPicture("image_path_invalid", f"{text[:100]!r} contains a NUL character")
    try:
        path = (folder / text).resolve()
    except (OSError, RuntimeError, UnicodeError) as error:  # a loop of links, half of a character
        raise BadPicture("image_path_invalid", f"{text[:100]!r}: {error}") from error
    if not path.is_relative_to(folder):
        raise BadPicture("image_outside_folder", f"{text[:100]!r} leads out of the folder of pictures")
    return path


def decode_data_uri(uri: str, max_image_bytes: int) -> bytes:
    """Return the bytes that a data URI holds.

    Args:
        uri: A URI such as `data:image/png;base64,...`.
        max_image_bytes: URIs that are much longer than this are not decoded.

    Raises:
        BadPicture: image_data_uri_invalid or image_too_many_bytes.

    Source: RFC 2397.
    """
    header, comma, body = uri.partition(",")
    if not comma:
        raise BadPicture("image_data_uri_invalid", f"{uri[:50]!r} has no comma")
    if len(body) > 4 * max_image_bytes:  # a percent-encoded byte takes three characters
        raise BadPicture("image_too_many_bytes", f"a data URI of {len(body)} characters")
    # base64 may be percent-encoded as well, as %2B for +
    data = urllib.parse.unquote_to_bytes(body.encode("utf-8", "surrogatepass"))
    # Some writers put a space before the word, or a parameter after it.
    if "base64" not in [part.strip().lower() for part in header.split(";")]:
        return data
    _check_cut(uri, f"{uri[:50]!r}")
    return _decode(data, f"{uri[:50]!r}")


def decode_base64(text: str, max_image_bytes: int) -> bytes | None:
    """Return the bytes of a picture that a cell has in base64 without the beginning of a data URI; else None.

    Args:
        text: A text, which may also be a path.
        max_image_bytes: Texts that are much longer than this are not decoded.

    Raises:
        BadPicture: image_data_uri_invalid or image_too_many_bytes, for what cannot be a path.
    """
    if len(text) < _MIN_BASE64_CHARS or not _BASE64_PICTURE.match(text) or not _BASE64.fullmatch(text):
        return None
    if len(text) > 2 * max_image_bytes:
        raise BadPicture("image_too_many_bytes", f"base64 of {len(text)} characters")
    _check_cut(text, _BARE)
    return _decode(text.encode(), _BARE)


def _check_cut(text: str, shown: str) -> None:
    """Raise an error for a text of just the length at which a program cuts: its picture would lack the lower part."""
    if (program := CUT_LENGTHS.get(len(text))) and not text.endswith("="):
        raise BadPicture(
            "image_data_uri_invalid", f"{shown}: cut off after {len(text)} characters, the longest text in {program}"
        )


def _decode(data: bytes, shown: str) -> bytes:
    # Wrapped lines, the alphabet for URLs, and left out padding are all common.
    text = b"".join(data.split()).translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise BadPicture("image_data_uri_invalid", f"{shown}: {error}") from error
