"""Pictures as a table names them: paths in its folder and data URIs. Both are untrusted input."""

import base64
import binascii
import urllib.parse
from pathlib import Path

from etalage.catalogue.pictures.errors import BadPicture

__all__ = ["decode_data_uri", "resolve_picture"]


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
    except (OSError, RuntimeError) as error:  # such as a loop of links
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
    data = urllib.parse.unquote_to_bytes(body)
    if not header.lower().endswith(";base64"):
        return data
    try:
        # many writers leave the padding out
        return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except binascii.Error as error:
        raise BadPicture("image_data_uri_invalid", f"{uri[:50]!r}: {error}") from error
