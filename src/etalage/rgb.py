"""Turns any picture that Pillow opens into RGB, in one way for the command line and for the model's processor.

It stands on Pillow and NumPy alone, since `phi3v` imports nothing else of the package.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

__all__ = ["to_rgb"]

_BITS_PER_SAMPLE = 258  # a TIFF tag
_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
"""Pillow's modes of more than eight bits, whose own conversion to RGB clips at 255."""


def to_rgb(image: Image.Image, background: str | None) -> Image.Image:
    """Return a picture upright by its EXIF orientation and in RGB; of an animation, the frame that it is at.

    Sixteen bits lose the lower eight. Floats and 32-bit integers say nothing of their range: those in 0..1 (floats),
    0..255 or 0..65535 are taken at their word, all others are stretched between their extremes.

    Args:
        image: A picture in any of Pillow's modes.
        background: The colour under transparent parts, a CSS name or #rrggbb; None drops the alpha channel, so that
            transparent parts show the colour that is stored under them.

    Returns:
        An RGB picture, with no EXIF orientation left to apply.

    Raises:
        ValueError: Pillow cannot convert this mode.
    """
    image.load()  # here, so that a truncated file is refused before anything is converted
    bits = _bits_per_sample(image)  # of the file, which the picture no longer knows once it is rotated
    # first, as the conversions below drop the EXIF data
    image = ImageOps.exif_transpose(image)
    if image.mode in _DEEP_MODES:
        image = _deep_to_grey(image, bits)
    key = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(key, tuple) and max(key) > 255:
        # Pillow keeps the upper eight of a PNG's sixteen bits, but leaves its transparent colour as it is.
        image.info["transparency"] = tuple(value >> 8 for value in key)
    if image.has_transparency_data:
        image = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        if background is not None:
            image = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
    return image.convert("RGB")


def _bits_per_sample(image: Image.Image) -> int:
    """Return how many of 16 bits the file uses: a TIFF may store 12."""
    tags = getattr(image, "tag_v2", {})
    return int(tags.get(_BITS_PER_SAMPLE, (16,))[0])


def _deep_to_grey(image: Image.Image, bits: int) -> Image.Image:
    """Return a picture of deep grey values as L, or as LA if the file declares one grey value transparent."""
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        grey = (values >> (min(max(bits, 9), 16) - 8)).astype(np.uint8)
    else:
        grey = _numbers_to_grey(values)
    found = Image.fromarray(grey)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        found = Image.merge("LA", (found, Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))))
    return found


def _numbers_to_grey(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return 32-bit integers or floats as grey values."""
    is_float = np.issubdtype(values.dtype, np.floating)
    numbers = values.astype(np.float64)  # float32 cannot hold all 32-bit integers
    finite = numbers[np.isfinite(numbers)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    numbers = np.nan_to_num(numbers, nan=low, posinf=high, neginf=low)
    if low < 0 or high > 65535:
        numbers = (numbers - low) * (255 / ((high - low) or 1))
    elif high > 255:
        numbers = numbers / 256  # as of 16 bits
    elif is_float and high <= 1:
        numbers = numbers * 255
    return numbers.clip(0, 255).astype(np.uint8)
