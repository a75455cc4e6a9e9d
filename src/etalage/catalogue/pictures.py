"""Pictures as files have them -> RGB as the model is shown it; and what is known of each file.

Training, evaluation, prediction and serving open pictures with `open_picture`, so that they see the same pixels.
"""

import base64
import binascii
import hashlib
import re
import stat
import threading
import urllib.parse
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self, TypedDict, Unpack

import imagehash
import numpy as np
import xxhash
from PIL import Image, ImageColor, ImageOps
from PIL import TiffImagePlugin as _tiff  # noqa: F401  # without these two, Pillow loads every plugin that it has
from PIL import WebPImagePlugin as _webp  # noqa: F401

from etalage.chunks import chunks
from etalage.config import PrepareConfig
from etalage.errors import EtalageError
from etalage.processes import NUM_WORKERS, process_pool

__all__ = [
    "BadPicture",
    "Limits",
    "Picture",
    "Unfit",
    "check_colour",
    "data_of_uri",
    "open_picture",
    "read_picture",
    "read_pictures",
    "resolve_picture",
]

EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff"}
"""By the formats that are read; MPO is what some cameras write into a .jpg."""

_FORMATS = [name for name in EXTENSIONS if name != "MPO"]  # which is opened as JPEG

MAX_SIDE_RATIO = 16
"""The model cuts a picture into at most 16 square crops laid out at its own side ratio. Beyond 16:1 they stand in one
row and are mostly padding, and a sliver's short side rounds to no pixels at all."""

LEAST_CONTRAST = 3.0
"""Standard deviation of the grey values (of 255) below which their frequencies are noise."""


class Unfit(ValueError):
    """A product that cannot be learned from."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        """One of a small set of words, to be counted."""
        self.detail = detail
        """What was found."""

    def __reduce__(self) -> tuple[type, tuple[str, str]]:  # exceptions travel between processes by their arguments
        return type(self), (self.reason, self.detail)


class BadPicture(Unfit):
    """A picture that cannot be shown to the model."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a picture file that was read whole."""

    path: Path
    sha256: str
    """Of the file."""
    pixels: str
    """XXH3 of the pixels as the model is shown them, seeded with their width; a photo's SHA-256 would take longer than
    its decoding."""
    width: int
    height: int
    extension: str
    """By what the file holds, whatever it is called."""
    phash: bytes
    """32 bytes that near copies and recoloured ones nearly share; none for a picture too plain to tell."""


class Limits(TypedDict, total=False):
    """How pictures are read; a catalogue keeps its own, so that later steps read them alike."""

    max_image_px: int
    """Width times height; judged before anything is decoded."""
    max_image_bytes: int
    """Of the file; larger ones are not read."""
    background: str
    """What transparency is laid on, in CSS's words."""


DEFAULT_LIMITS = Limits(
    max_image_px=PrepareConfig.max_image_px,
    max_image_bytes=PrepareConfig.max_image_bytes,
    background=PrepareConfig.background,
)


def open_picture(source: Path | bytes, **limits: Unpack[Limits]) -> Image.Image:
    """Decode a picture whole, as the model is to see it.

    Turned upright by its EXIF orientation; the first frame of an animation; transparency laid on the background;
    palettes, grey, CMYK and 16 bits converted. Floats and 32-bit integers, which state no range, are stretched from
    their extremes.

    Args:
        source: A file, or the bytes of one.
        limits: Those that are not given are DEFAULT_LIMITS'.
    Returns:
        An RGB picture.
    Raises:
        BadPicture: image_not_found, image_empty, image_too_many_bytes, image_too_many_pixels, image_too_extreme (a side
            ratio above MAX_SIDE_RATIO) or image_undecodable, with what was found.
    """
    limits = {**DEFAULT_LIMITS, **limits}
    data = source if isinstance(source, bytes) else _read_bytes(source, limits["max_image_bytes"])
    return _decode(data, **limits)[0]


def read_picture(path: Path, **limits: Unpack[Limits]) -> Picture:
    """Open a picture and keep what the catalogue wants to know of it. Takes and raises what `open_picture` does."""
    limits = {**DEFAULT_LIMITS, **limits}
    data = _read_bytes(path, limits["max_image_bytes"])
    image, extension = _decode(data, **limits)
    pixels = xxhash.xxh3_128_hexdigest(image.tobytes(), seed=image.width)
    return Picture(
        path, hashlib.sha256(data).hexdigest(), pixels, image.width, image.height, extension, perceptual_hash(image)
    )


def read_pictures(paths: Iterable[Path], **limits: Unpack[Limits]) -> Iterator[Picture | BadPicture]:
    """Read pictures in worker processes, in order. A file that kills its worker is a BadPicture, not the end."""
    with _Workers() as workers:
        pending: deque[tuple[list[Path], Future[list[Picture | BadPicture]]]] = deque()
        batches = chunks(paths, 16)
        while True:
            while len(pending) < 4 * NUM_WORKERS and (batch := next(batches, None)):
                pending.append((batch, workers.submit(batch, limits)))
            if not pending:
                return
            batch, future = pending.popleft()
            try:
                yield from future.result()
            except BrokenProcessPool:
                workers.restart()
                yield from (_read_alone(path, limits) for path in batch)
                pending = deque((waiting, workers.submit(waiting, limits)) for waiting, _ in pending)


def perceptual_hash(image: Image.Image) -> bytes:
    """pHash, 16 x 16, of the grey values; none for a picture too plain to tell.

    Source: ImageHash's `phash`: signs of the lowest frequencies of a 64 x 64 picture, about their median.
    """
    grey = image.reduce(max(1, min(image.size) // 128)).convert("L")
    if np.asarray(grey).std() < LEAST_CONTRAST:
        return b""
    return np.packbits(imagehash.phash(grey, hash_size=16).hash).tobytes()


def check_colour(name: str) -> None:
    """Raises:
    EtalageError: this is no colour.
    """
    try:
        ImageColor.getrgb(name)
    except ValueError as error:
        raise EtalageError(f"--background {name!r} is no colour; give a name such as white, or #rrggbb") from error


def resolve_picture(folder: Path, text: str) -> Path:
    """Where a picture named by a table lies. The text is hostile: nothing outside the folder is reached.

    Args:
        folder: What paths start from, itself resolved.
    Raises:
        BadPicture: image_path_invalid, or image_outside_folder, be it by an absolute path, by `..` or through a link.
    """
    if "\0" in text:
        raise BadPicture("image_path_invalid", f"{text[:100]!r} holds a NUL")
    try:
        path = (folder / text).resolve()
    except (OSError, RuntimeError) as error:  # a loop of links
        raise BadPicture("image_path_invalid", f"{text[:100]!r}: {error}") from error
    if not path.is_relative_to(folder):
        raise BadPicture("image_outside_folder", f"{text[:100]!r} leads out of the folder of pictures")
    return path


def data_of_uri(uri: str, max_image_bytes: int) -> bytes:
    """The bytes in a data URI.

    Raises:
        BadPicture: image_data_uri_invalid or image_too_many_bytes.
    """
    header, comma, body = uri.partition(",")
    if not comma:
        raise BadPicture("image_data_uri_invalid", f"{uri[:50]!r} has no comma")
    if len(body) > 4 * max_image_bytes:
        raise BadPicture("image_too_many_bytes", f"a data URI of {len(body)} characters")
    data = urllib.parse.unquote_to_bytes(body)
    if not header.lower().endswith(";base64"):
        return data
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except binascii.Error as error:
        raise BadPicture("image_data_uri_invalid", f"{uri[:50]!r}: {error}") from error


class _Workers:
    """Processes that decode: what a hostile file breaks there is theirs."""

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> None:
        self._pool = process_pool()

    def restart(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._start()

    def submit(self, paths: list[Path], limits: Limits) -> Future[list[Picture | BadPicture]]:
        return self._pool.submit(_read_batch, paths, limits)


def _read_batch(paths: list[Path], limits: Limits) -> list[Picture | BadPicture]:
    return [_read_or_refuse(path, limits) for path in paths]


def _read_or_refuse(path: Path, limits: Limits) -> Picture | BadPicture:
    try:
        return read_picture(path, **limits)
    except BadPicture as bad:
        return bad
    except MemoryError:
        return BadPicture("image_too_much_memory", f"{path.name} cannot be decoded in the memory there is")


def _read_alone(path: Path, limits: Limits) -> Picture | BadPicture:
    with process_pool(1) as alone:
        try:
            alone.submit(int).result()  # or else a process that cannot even start would be blamed on the picture
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "no process can be started to decode pictures in; a script that calls etalage has to do so under "
                'if __name__ == "__main__":'
            ) from error
        try:
            return alone.submit(_read_or_refuse, path, limits).result()
        except BrokenProcessPool:
            return BadPicture("image_kills_decoder", f"{path.name} ended the process that decoded it")


def _read_bytes(path: Path, max_image_bytes: int) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadPicture("image_not_found", f"{path.name} is no file")
        if status.st_size > max_image_bytes:
            raise BadPicture(
                "image_too_many_bytes", f"{path.name} has {status.st_size}, at most {max_image_bytes} are read"
            )
        return path.read_bytes()
    except OSError as error:
        raise BadPicture("image_not_found", f"{path.name}: {error.strerror}") from error


def _decode(data: bytes, max_image_px: int, max_image_bytes: int, background: str) -> tuple[Image.Image, str]:
    if not data:
        raise BadPicture("image_empty", "the file holds no bytes")
    if len(data) > max_image_bytes:
        raise BadPicture("image_too_many_bytes", f"{len(data)}, at most {max_image_bytes} are read")
    with _pillow_quiet():
        try:
            with Image.open(BytesIO(data), formats=_FORMATS) as image:
                width, height = image.size
                if width * height > max_image_px:
                    raise BadPicture("image_too_many_pixels", f"{width}x{height}, at most {max_image_px} are decoded")
                if max(width, height) > MAX_SIDE_RATIO * min(width, height):
                    raise BadPicture("image_too_extreme", f"{width}x{height}, the model takes up to {MAX_SIDE_RATIO}:1")
                return _to_rgb(image, background), EXTENSIONS[image.format or ""]
        except BadPicture:
            raise
        except Image.DecompressionBombError as error:
            raise BadPicture("image_too_many_pixels", str(error)) from error
        except MemoryError:
            raise
        except Exception as error:  # damaged files raise nearly anything from within Pillow's plugins
            raise BadPicture("image_undecodable", _first_words(error)) from error


def _to_rgb(image: Image.Image, background: str) -> Image.Image:
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        pixels = np.nan_to_num(np.asarray(image, dtype=np.float64))
        low, high = pixels.min(), pixels.max()
        image = Image.fromarray(((pixels - low) * (255 / (high - low or 1))).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
    return image.convert("RGB")


def _first_words(error: Exception) -> str:
    return re.sub(r" <_io\.BytesIO[^>]*>", "", f"{type(error).__name__}: {error}")[:200]


_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet = warnings.catch_warnings()


@contextmanager
def _pillow_quiet() -> Iterator[None]:
    """Silence warnings while any thread decodes: on bombs and damage we have our own word.

    Python's warning filters belong to the process; entered once and left once, they are not restored out of order.
    """
    global _quiet_depth, _quiet
    with _quiet_lock:
        _quiet_depth += 1
        if _quiet_depth == 1:
            _quiet = warnings.catch_warnings()
            _quiet.__enter__()
            warnings.simplefilter("ignore")
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0:
                _quiet.__exit__(None, None, None)
