"""Arithmetic on colours."""

import random

from etalage.sample.appearance import Rgb

__all__ = ["adjust_tone", "jitter", "luminance", "to_hex"]


def to_hex(colour: Rgb) -> str:
    """Format a colour for SVG, such as #ff8000."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def adjust_tone(colour: Rgb, amount: float) -> Rgb:
    """Mix a colour with white or black.

    Args:
        colour: The colour to change.
        amount: From -1 (black) over 0 (unchanged) to 1 (white).

    Returns:
        The mixed colour.
    """
    target = 255 if amount > 0 else 0
    red, green, blue = (round(part + (target - part) * abs(amount)) for part in colour)
    return red, green, blue


def luminance(colour: Rgb) -> float:
    """Return how bright a colour looks, 0 to 255."""
    red, green, blue = colour
    # The weights of Rec. 601: the eye sees green as the brightest and blue as the darkest.
    return 0.3 * red + 0.59 * green + 0.11 * blue


def jitter(rng: random.Random, colour: Rgb, max_shift: int) -> Rgb:
    """Return a random colour near another.

    Args:
        rng: Source of randomness.
        colour: The colour in the middle.
        max_shift: The most by which each channel moves.

    Returns:
        The nearby colour.
    """
    red, green, blue = (min(255, max(0, part + rng.randint(-max_shift, max_shift))) for part in colour)
    return red, green, blue
