"""Sizes, modes and formats of the original's picture files."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from etalage.sample.mimic.category_path import CategoryPath, path_contexts
from etalage.sample.mimic.suppressed_counts import Observation, SuppressedCounts

__all__ = ["SIZE_RATIO", "PictureHeader", "learn_headers", "read_header"]

SIZE_RATIO = math.sqrt(math.sqrt(2))
"""The ratio of neighbouring bins of sizes; sizes that are too rare are binned."""

_READABLE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


@dataclass(frozen=True)
class PictureHeader:
    """A picture file's size, mode and format."""

    width_px: int
    height_px: int
    mode: str
    format: str
    is_binned: bool = False
    """The size stands for all sizes near it."""


_FALLBACK = PictureHeader(336, 336, "RGB", "JPEG", is_binned=True)


def read_header(path: Path) -> PictureHeader | None:
    """Read a picture file's header without decoding the picture; return None if it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that break their format's rules
            with Image.open(path, formats=_READABLE_FORMATS) as picture:
                return PictureHeader(*picture.size, picture.mode, picture.format or "")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def learn_headers(
    headers: Sequence[PictureHeader | None], paths: Sequence[CategoryPath]
) -> SuppressedCounts[PictureHeader]:
    """Learn how frequent each header is in each category; sizes that fewer than K rows have are binned.

    Args:
        headers: The header of each row's picture; None where the file could not be read.
        paths: The category path of each row.

    Returns:
        The frequencies.
    """
    observations: list[Observation[PictureHeader]] = [
        (path_contexts(path), header, row)
        for row, (header, path) in enumerate(zip(headers, paths, strict=True))
        if header is not None
    ]
    # A size is exact if it is common in the whole catalogue, even where its own category rarely has it.
    common = SuppressedCounts.learn([(((),), header, row) for _, header, row in observations], _FALLBACK)
    exact = set(common.overall.values)
    binned = [(paths, header if header in exact else _bin(header), row) for paths, header, row in observations]
    return SuppressedCounts.learn(binned, _FALLBACK)


def _bin(header: PictureHeader) -> PictureHeader:
    width_px, height_px = (
        # Evenly spaced on a logarithmic scale, since sizes differ by factors.
        round(SIZE_RATIO ** round(math.log(max(1, side_px), SIZE_RATIO)))
        for side_px in (header.width_px, header.height_px)
    )
    return PictureHeader(width_px, height_px, header.mode, header.format, is_binned=True)
