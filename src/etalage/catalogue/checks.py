"""Whether a row is fit to learn from, and the one way that pictures are read.

Training, evaluation, prediction and serving open pictures with `open_picture`, so that they see the same pixels.
"""

import hashlib
import math
import os
import re
import stat
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from PIL import TiffImagePlugin as _tiff  # noqa: F401  # without these two, Pillow loads every plugin that it has
from PIL import WebPImagePlugin as _webp  # noqa: F401

from etalage.catalogue.sources import Row, Table
from etalage.config import PrepareConfig
from etalage.task import Field, Task, Value, clean_text

__all__ = [
    "BadPicture",
    "CheckedProduct",
    "Drop",
    "Picture",
    "Progress",
    "check_rows",
    "open_picture",
    "resolve_picture",
]

Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff"}
"""By the formats that are read; MPO is what some cameras write into a .jpg."""

_FORMATS = [name for name in EXTENSIONS if name != "MPO"]  # which is opened as JPEG

MAX_SIDE_RATIO = 16
"""The model cuts a picture into at most 16 square crops laid out at its own side ratio. Beyond 16:1 they stand in one
row and are mostly padding, and a sliver's short side rounds to no pixels at all."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|//|data:", re.IGNORECASE)


class Unfit(ValueError):
    """A product that cannot be learned from."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        """One of a small set of words, to be counted."""
        self.detail = detail
        """What was found."""


class BadPicture(Unfit):
    """A picture that cannot be shown to the model."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a picture file that was read whole."""

    path: Path
    sha256: str
    """Of the file."""
    pixel_sha256: str
    """Of size and pixels as the model is shown them."""
    width: int
    height: int
    extension: str
    """By what the file holds, whatever it is called."""


@dataclass(frozen=True, slots=True)
class CheckedProduct:
    """A row that is fit to learn from."""

    source_row: int
    product_code: str
    values: Mapping[str, Value]
    picture: Picture


@dataclass(frozen=True, slots=True)
class Drop:
    """A row that is not, and why."""

    source_row: int
    product_code: str
    reason: str
    detail: str


def check_rows(
    table: Table, task: Task, config: PrepareConfig, progress: Progress | None = None
) -> tuple[list[CheckedProduct], list[Drop]]:
    """Keep the rows whose every field can be learned and whose picture can be shown; say why of all others.

    Texts are judged first, then each distinct picture once. Rows that share a product code are kept, since colour
    variants may share one; only a row that repeats an earlier one in every column used is dropped.

    Returns:
        The kept and the dropped, each in the order of the table.
    Raises:
        ValueError: the table cannot be read on, or nothing is left of it.
    """
    folder = table.source.parent.resolve()
    candidates: list[tuple[int, str, dict[str, Value], Path]] = []
    drops: list[Drop] = []
    seen: set[bytes] = set()
    for row in table:
        try:
            _check_repeat(row if "product_code" in table.columns else row._replace(product_code=""), seen)
            values = _check_values(row, task, config.max_text_chars)
            candidates.append((row.number, row.product_code, values, resolve_picture(folder, row.image)))
        except Unfit as unfit:
            drops.append(Drop(row.number, row.product_code, unfit.reason, unfit.detail))

    def look(path: Path) -> Picture | BadPicture:
        try:
            return read_picture(path, max_image_px=config.max_image_px, max_image_bytes=config.max_image_bytes)
        except BadPicture as bad:
            return bad

    paths = list(dict.fromkeys(path for *_, path in candidates))
    pictures: dict[Path, Picture | BadPicture] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding and hashing leave Python's lock
        for path, seen_picture in zip(paths, pool.map(look, paths), strict=True):
            pictures[path] = seen_picture
            if progress is not None:
                progress(len(pictures), len(paths))
    kept: list[CheckedProduct] = []
    for number, code, values, path in candidates:
        picture = pictures[path]
        if isinstance(picture, BadPicture):
            drops.append(Drop(number, code, picture.reason, picture.detail))
        else:
            kept.append(CheckedProduct(number, code, values, picture))
    drops.sort(key=lambda drop: drop.source_row)
    if not kept:
        first = drops[0]
        raise ValueError(
            f"{table.source}: nothing left of {len(drops)} rows; row {first.source_row} (code {first.product_code}): "
            f"{first.reason}, {first.detail}; columns used: {', '.join(f'{k}={v}' for k, v in table.columns.items())}"
        )
    return kept, drops


def open_picture(
    source: Path | bytes,
    *,
    max_image_px: int = PrepareConfig.max_image_px,
    max_image_bytes: int = PrepareConfig.max_image_bytes,
) -> Image.Image:
    """Decode a picture whole, as the model is to see it.

    Turned upright by its EXIF orientation; the first frame of an animation; transparency laid on white; palettes, grey,
    CMYK and 16 bits converted. Floats and 32-bit integers, which state no range, are stretched from their extremes.

    Args:
        source: A file, or the bytes of one.
        max_image_px: Width times height; judged before anything is decoded.
        max_image_bytes: Of the file; larger ones are not read.
    Returns:
        An RGB picture.
    Raises:
        BadPicture: image_not_found, image_empty, image_too_many_bytes, image_too_many_pixels, image_too_extreme (a side
            ratio above MAX_SIDE_RATIO) or image_undecodable, with what was found.
    """
    data = source if isinstance(source, bytes) else _read_bytes(source, max_image_bytes)
    return _decode(data, max_image_px, max_image_bytes)[0]


def read_picture(path: Path, *, max_image_px: int, max_image_bytes: int) -> Picture:
    """Open a picture and keep what the catalogue wants to know of it. Raises as `open_picture` does."""
    data = _read_bytes(path, max_image_bytes)
    image, extension = _decode(data, max_image_px, max_image_bytes)
    pixels = hashlib.sha256(f"{image.width}x{image.height} ".encode() + image.tobytes()).hexdigest()
    return Picture(path, hashlib.sha256(data).hexdigest(), pixels, image.width, image.height, extension)


def resolve_picture(folder: Path, text: str) -> Path:
    """Where a picture named by a table lies. The text is hostile: nothing outside the table's folder is reached.

    Args:
        folder: The table's folder, itself resolved.
    Raises:
        BadPicture: image_missing (no text), image_is_url, image_path_invalid, or image_outside_folder, be it by an
            absolute path, by `..` or through a link.
    """
    text = text.strip()
    if not text:
        raise BadPicture("image_missing", "no path given")
    if _URL.match(text):
        raise BadPicture(
            "image_is_url", f"{text[:100]!r}; pictures are not fetched yet: download them, give their paths"
        )
    if "\0" in text:
        raise BadPicture("image_path_invalid", f"{text[:100]!r} holds a NUL")
    try:
        path = (folder / text).resolve()
    except (OSError, RuntimeError) as error:  # a loop of links
        raise BadPicture("image_path_invalid", f"{text[:100]!r}: {error}") from error
    if not path.is_relative_to(folder):
        raise BadPicture("image_outside_folder", f"{text[:100]!r} leads out of the table's folder")
    return path


def _check_repeat(row: Row, seen: set[bytes]) -> None:
    digest = hashlib.sha256(repr((row.product_code, row.image, row.texts)).encode()).digest()
    if digest in seen:
        raise Unfit("row_repeated", "an earlier row has the same text in every column used")
    seen.add(digest)


def _check_values(row: Row, task: Task, max_text_chars: int) -> dict[str, Value]:
    values = {field.name: _check_value(row.texts[field.name], field, max_text_chars) for field in task.fields}
    answer = task.answer(values)
    if task.parse(answer) != values:
        raise Unfit("answer_ambiguous", f"{answer[:200]!r} does not read back as the values it was written from")
    return values


def _check_value(text: str, field: Field, max_text_chars: int) -> Value:
    if len(text) > max_text_chars:
        raise Unfit(f"{field.name}_too_long", f"{len(text)} characters, at most {max_text_chars} are taken")
    text = clean_text(text)
    if not text:
        raise Unfit(f"missing_{field.name}", "no text")
    if field.kind != "price":
        return text
    price = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(price):
        raise Unfit(f"{field.name}_unparsable", f"{text!r} is no number; write digits and a decimal point alone")
    if price < 0:
        raise Unfit(f"{field.name}_negative", repr(text))
    if not round(price, 2):
        raise Unfit(f"{field.name}_zero", repr(text))
    return round(price, 2)


def _read_bytes(path: Path, max_image_bytes: int) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadPicture("image_not_found", f"{path} is no file")
        if status.st_size > max_image_bytes:
            raise BadPicture("image_too_many_bytes", f"{path} has {status.st_size}, at most {max_image_bytes} are read")
        return path.read_bytes()
    except OSError as error:
        raise BadPicture("image_not_found", f"{path}: {error.strerror}") from error


def _decode(data: bytes, max_image_px: int, max_image_bytes: int) -> tuple[Image.Image, str]:
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
                return _to_rgb(image), EXTENSIONS[image.format or ""]
        except BadPicture:
            raise
        except Image.DecompressionBombError as error:
            raise BadPicture("image_too_many_pixels", str(error)) from error
        except MemoryError:
            raise
        except Exception as error:  # damaged files raise nearly anything from within Pillow's plugins
            raise BadPicture("image_undecodable", _first_words(error)) from error


def _to_rgb(image: Image.Image) -> Image.Image:
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
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
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
