"""Axes of charts that are drawn by hand: where a value stands, and where to put ticks."""

import math
from collections.abc import Callable

__all__ = ["linear_ticks", "log_ticks", "scale"]


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: round(start + (value - low) / (high - low) * (end - start), 1)


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / most or 1.0
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(s * decade for s in (1, 2, 5, 10) if s * decade >= rough * 0.999)
    return [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers, at most seven; evenly stepped ones where the range holds too few powers."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [d * 10.0**n for n in decades for d in digits if low <= d * 10.0**n <= high]
        if len(ticks) <= 7:
            break
    return ticks[:: math.ceil(len(ticks) / 7)] if len(ticks) > 2 else linear_ticks(low, high, 5)
