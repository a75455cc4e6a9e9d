"""The same product, photographed a little otherwise: what a few hundred pictures lack."""

import math
import random

from PIL import Image, ImageEnhance, ImageOps

__all__ = ["view"]


def view(picture: Image.Image, number: int, seed: int = 0) -> Image.Image:
    """A picture turned, moved, scaled and lit a little otherwise, half of them mirrored.

    Nothing that tells products apart is touched: colours keep their hue, and little leaves the frame.

    Args:
        picture: RGB.
        number: 0 is the picture as it is, every other one a view of its own.
        seed: Same seed and number, same view.
    Returns:
        RGB, of the same size; white where nothing was.
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
    x, y = width / 2 + right, height / 2 + down  # where the middle goes
    back = (cos, sin, width / 2 - cos * x - sin * y, -sin, cos, height / 2 + sin * x - cos * y)
    moved = picture.transform(
        picture.size, Image.Transform.AFFINE, back, Image.Resampling.BILINEAR, fillcolor=(255, 255, 255)
    )
    lit = ImageEnhance.Contrast(moved).enhance(rng.uniform(0.85, 1.15))
    return ImageEnhance.Brightness(lit).enhance(rng.uniform(0.9, 1.1))
