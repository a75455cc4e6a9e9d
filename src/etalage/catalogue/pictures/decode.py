"""Decodes picture files to RGB as the model sees it, within limits that hold for hostile files too."""

import re
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TypedDict, Unpack

from PIL import Image, ImageColor, UnidentifiedImageError
from PIL import TiffImagePlugin as _tiff  # noqa: F401  # without these, Pillow loads every plugin that it has
from PIL import WebPImagePlugin as _webp  # noqa: F401

from etalage.catalogue.pictures.errors import BadPicture
from etalage.catalogue.pictures.formats import AVIF_IS_READ, describe_format, is_heif
from etalage.config import PrepareConfig
from etalage.errors import EtalageError
from etalage.rgb import to_rgb

if AVIF_IS_READ:
    from PIL import AvifImagePlugin as _avif  # noqa: F401

__all__ = ["PictureLimits", "check_background", "decode", "open_picture", "read_picture_bytes"]

EXTENSIONS = {
    **{"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff"},
    **{"AVIF": "avif", "HEIF": "heic"},
}
"""File extensions by the names of the formats that are read; MPO is what some cameras write into a .jpg."""

# Pillow opens MPO as JPEG; HEIF is added where a file needs it, and AVIF where it can be read.
_FORMATS = [name for name in EXTENSIONS if name not in ("MPO", "HEIF") and (name != "AVIF" or AVIF_IS_READ)]

_SUBFILE_TYPE, _DNG_VERSION = 254, 50706  # TIFF tags

MAX_SIDE_RATIO = 16
"""The model cuts a picture into at most 16 square crops, in a grid of about the picture's own side ratio. Beyond 16:1
they form a single row and are mostly padding, and the short side of a very thin picture rounds to no pixels at all."""


class PictureLimits(TypedDict, total=False):
    """Limits for reading pictures. A catalogue records its own, so that later steps read its pictures the same way."""

    max_image_px: int
    """The largest width times height, checked before anything is decoded."""
    max_image_bytes: int
    """The largest file; larger ones are not read."""
    background: str
    """The colour under transparent parts: a CSS name or #rrggbb."""


DEFAULT_LIMITS = PictureLimits(
    max_image_px=PrepareConfig.max_image_px,
    max_image_bytes=PrepareConfig.max_image_bytes,
    background=PrepareConfig.background,
)


def open_picture(source: Path | bytes, **limits: Unpack[PictureLimits]) -> Image.Image:
    """Decode a picture completely, as the model sees it.

    It is converted by `etalage.rgb.to_rgb`, as the model's own processor does. Of an animation, the first frame is
    taken.

    Args:
        source: A file, or the bytes of one.
        limits: Limits that are not given are those of DEFAULT_LIMITS.

    Returns:
        An RGB picture.

    Raises:
        BadPicture: image_not_found, image_empty, image_too_many_bytes, image_too_many_pixels, image_too_extreme (a side
            ratio above MAX_SIDE_RATIO), image_format_unsupported or image_undecodable, with what was found.
    """
    limits = {**DEFAULT_LIMITS, **limits}
    data = source if isinstance(source, bytes) else read_picture_bytes(source, limits["max_image_bytes"])
    return decode(data, **limits)[0]


def check_background(name: str) -> None:
    """Raise an error for a background that is no colour.

    Args:
        name: A CSS name or #rrggbb.

    Raises:
        EtalageError: The name is no colour.
    """
    try:
        ImageColor.getrgb(name)
    except ValueError as error:
        raise EtalageError(f"--background {name!r} is no colour; give a name such as white, or #rrggbb") from error


def read_picture_bytes(path: Path, max_image_bytes: int) -> bytes:
    """Return the bytes of a picture's file.

    Args:
        path: The file.
        max_image_bytes: The largest file that is read.

    Raises:
        BadPicture: image_not_found or image_too_many_bytes.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait forever
            raise BadPicture("image_not_found", f"{path.name} is not a file")
        if status.st_size > max_image_bytes:
            raise BadPicture(
                "image_too_many_bytes", f"{path.name} has {status.st_size} bytes, more than the limit {max_image_bytes}"
            )
        return path.read_bytes()
    except OSError as error:
        raise BadPicture("image_not_found", f"{path.name}: {error.strerror}") from error


def decode(data: bytes, max_image_px: int, max_image_bytes: int, background: str) -> tuple[Image.Image, str]:
    """Decode the bytes of a picture's file; see `open_picture`.

    Args:
        data: The file's bytes.
        max_image_px: The largest width times height.
        max_image_bytes: The largest number of bytes.
        background: The colour under transparent parts.

    Returns:
        An RGB picture, and the extension of the format that it was stored in.

    Raises:
        BadPicture: As for `open_picture`.
    """
    if not data:
        raise BadPicture("image_empty", "the file is empty")
    if len(data) > max_image_bytes:
        raise BadPicture("image_too_many_bytes", f"{len(data)} bytes, more than the limit {max_image_bytes}")
    with _without_warnings():
        try:
            # by content, whatever the file is called, and by no other of Pillow's many decoders
            with Image.open(BytesIO(data), formats=[*_FORMATS, *_heif_opener(data)]) as image:
                _check_size(*image.size, max_image_px)
                _refuse_raw(image)
                return to_rgb(image, background), EXTENSIONS[image.format or ""]
        except (BadPicture, MemoryError):
            raise
        except Image.DecompressionBombError as error:
            raise BadPicture("image_too_many_pixels", str(error)) from error
        except UnidentifiedImageError as error:
            reason, detail = describe_format(data) or ("image_undecodable", _summarize(error))
            raise BadPicture(reason, detail) from error
        except Exception as error:  # damaged files raise nearly anything from within Pillow's plugins
            raise BadPicture("image_undecodable", _summarize(error)) from error


def _check_size(width: int, height: int, max_image_px: int) -> None:
    if width * height > max_image_px:
        raise BadPicture("image_too_many_pixels", f"{width}x{height}, more than the limit of {max_image_px} pixels")
    if max(width, height) > MAX_SIDE_RATIO * min(width, height):
        raise BadPicture("image_too_extreme", f"{width}x{height}; the model takes side ratios up to {MAX_SIDE_RATIO}:1")


def _heif_opener(data: bytes) -> list[str]:
    """Return Pillow's name for HEIC if the file is one and the package that reads it is installed."""
    if not is_heif(data):
        return []
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return []
    register_heif_opener(thumbnails=False)
    return ["HEIF"]


def _refuse_raw(image: Image.Image) -> None:
    """Refuse a camera's raw picture: as a TIFF, its first page is a small preview."""
    tags = getattr(image, "tag_v2", {})
    if _DNG_VERSION in tags or int(tags.get(_SUBFILE_TYPE, 0)) & 1:
        raise BadPicture(
            "image_format_unsupported",
            f"it is a camera's raw picture, or a TIFF that begins with a preview of {image.width}x{image.height} "
            "pixels; develop it and export it as JPEG",
        )


def _summarize(error: Exception) -> str:
    """Return an error's type and message, without the address of our buffer, which differs from run to run."""
    return re.sub(r" <_io\.BytesIO[^>]*>", "", f"{type(error).__name__}: {error}")[:200]


_warnings_lock = threading.Lock()
_num_decoding = 0
_saved_filters = warnings.catch_warnings()


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence Pillow's warnings of large and damaged pictures, which get a reason of ours instead.

    Warning filters belong to the process, and several threads may decode at once. The first one in saves the filters
    and the last one out restores them; if each thread did so, they could be restored in the wrong order.
    """
    global _num_decoding, _saved_filters
    with _warnings_lock:
        _num_decoding += 1
        if _num_decoding == 1:
            _saved_filters = warnings.catch_warnings()
            _saved_filters.__enter__()
            warnings.simplefilter("ignore")
    try:
        yield
    finally:
        with _warnings_lock:
            _num_decoding -= 1
            if _num_decoding == 0:
                _saved_filters.__exit__(None, None, None)
