"""What a catalogue keeps of a picture: its size, and the hashes by which copies and near copies are found."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import imagehash
import numpy as np
import xxhash
from PIL import Image

from etalage.catalogue.pictures.decode import DEFAULT_LIMITS, PictureLimits, decode, read_picture_bytes

__all__ = ["Picture", "perceptual_hash", "read_picture"]

MIN_CONTRAST = 3.0
"""The standard deviation of the grey values (of 255) below which the frequencies of a picture are noise."""

_HASH_SIDE = 16  # bits per side of the perceptual hash
_MAX_REDUCED_PX = 128


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file that was read and decoded."""

    path: Path
    sha256: str
    """SHA-256 of the file, in hexadecimal."""
    pixels: str
    """XXH3 of the pixels as the model sees them, seeded with their width; the SHA-256 of a photo's pixels would take
    longer than decoding it."""
    width: int
    height: int
    extension: str
    """The extension of the format that the file holds, whatever its name says."""
    phash: bytes
    """32 bytes that near copies and recoloured copies nearly share; empty for a picture too plain to tell."""


def read_picture(path: Path, **limits: Unpack[PictureLimits]) -> Picture:
    """Open a picture and return what the catalogue keeps of it.

    Args:
        path: The picture's file.
        limits: As for `open_picture`.

    Raises:
        BadPicture: As for `open_picture`.
    """
    limits = {**DEFAULT_LIMITS, **limits}
    data = read_picture_bytes(path, limits["max_image_bytes"])
    image, extension = decode(data, **limits)
    return Picture(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        # Bytes do not say where rows end: without the width, 2 x 8 and 4 x 4 pixels may be equal.
        pixels=xxhash.xxh3_128_hexdigest(image.tobytes(), seed=image.width),
        width=image.width,
        height=image.height,
        extension=extension,
        phash=perceptual_hash(image),
    )


def perceptual_hash(image: Image.Image) -> bytes:
    """Return the pHash of a picture's grey values, 16 x 16 bits; empty for a picture too plain to tell.

    Args:
        image: An RGB picture.

    Returns:
        32 bytes or none.

    Source: ImageHash's `phash`: signs of the lowest frequencies of a 64 x 64 picture, about their median.
    """
    # averaging whole blocks first takes most of the time out of the resizing to 64 x 64
    grey = image.reduce(max(1, min(image.size) // _MAX_REDUCED_PX)).convert("L")
    if np.asarray(grey).std() < MIN_CONTRAST:
        return b""
    return np.packbits(imagehash.phash(grey, hash_size=_HASH_SIDE).hash).tobytes()
