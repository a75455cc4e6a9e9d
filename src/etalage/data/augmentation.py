"""Vary a product's picture as other photographs of it would: what a few hundred pictures lack."""

import math
import random

from PIL import Image, ImageEnhance, ImageOps

__all__ = ["augment"]


def augment(picture: Image.Image, number: int, seed: int = 0) -> Image.Image:
    """Rotate, shift, scale and relight a picture slightly, and mirror every other one.

    What tells products apart is left alone: colours keep their hue, and little leaves the frame.

    Args:
        picture: RGB.
        number: 0 returns the picture as it is; every other number gives another version.
        seed: The same seed and number give the same version.

    Returns:
        RGB, of the same size, with white where the picture does not reach.
    """
    if number == 0:
        return picture
    rng = random.Random(f"{number} {seed}")
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    width, height = picture.size
    angle = math.radians(rng.uniform(-10, 10)) if rng.random() < 0.5 else 0.0
    zoom = math.exp(rng.uniform(-0.15, 0.15))
    right, down = (rng.uniform(-0.06, 0.06) * length for length in picture.size)
    cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
    x, y = width / 2 + right, height / 2 + down  # where the centre goes
    # Pillow asks where each pixel of the result comes from.
    inverse = (cos, sin, width / 2 - cos * x - sin * y, -sin, cos, height / 2 + sin * x - cos * y)
    moved = picture.transform(
        picture.size, Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR, fillcolor=(255, 255, 255)
    )
    contrasted = ImageEnhance.Contrast(moved).enhance(rng.uniform(0.85, 1.15))
    return ImageEnhance.Brightness(contrasted).enhance(rng.uniform(0.9, 1.1))
