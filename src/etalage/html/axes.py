"""Axes of charts: map values to coordinates, and choose round numbers for ticks."""

import math
from dataclasses import dataclass

__all__ = ["Axis", "linear_ticks", "log_ticks"]


@dataclass(frozen=True)
class Axis:
    """A range of values along one side of a chart."""

    low: float
    """The value at `start`; above 0 on a logarithmic axis."""
    high: float
    """The value at `end`; larger than `low`."""
    start: float
    """The coordinate of `low`, in units of the chart's viewBox."""
    end: float
    """The coordinate of `high`; smaller than `start` on an axis that points upwards."""
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value, rounded to one decimal."""
        low, high = self.low, self.high
        if self.is_log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return round(self.start + (value - low) / (high - low) * (self.end - self.start), 1)

    def ticks(self, max_ticks: int = 5) -> list[float]:
        """Return round values within the range.

        Args:
            max_ticks: At most about this many on a linear axis; a logarithmic one has at most seven.
        """
        return log_ticks(self.low, self.high) if self.is_log else linear_ticks(self.low, self.high, max_ticks)


def linear_ticks(low: float, high: float, max_ticks: int) -> list[float]:
    """Return evenly spaced multiples of 1, 2 or 5 times a power of ten.

    >>> linear_ticks(0, 36, 4)
    [0.0, 10.0, 20.0, 30.0]

    Args:
        low: The smallest value that may get a tick.
        high: The largest value that may get a tick.
        max_ticks: At most this many steps fit between the two.
    """
    # A range of no width has no logarithm.
    rough = (high - low) / max_ticks or 1.0
    decade = 10.0 ** math.floor(math.log10(rough))
    # The slack keeps a step that fits but for rounding.
    step = next(s * decade for s in (1, 2, 5, 10) if s * decade >= rough * 0.999)
    # The slack keeps a tick at either end of the range, where dividing rounds to just beside a whole number.
    return [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return at most seven round numbers, or evenly spaced ones where the range holds too few of them.

    >>> log_ticks(8, 1200)
    [10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]

    Args:
        low: The smallest value that may get a tick, above 0.
        high: The largest value that may get a tick.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [d * 10.0**n for n in decades for d in digits if low <= d * 10.0**n <= high]
        if len(ticks) <= 7:
            break
    # Beyond seven decades even the powers of ten are too many.
    return ticks[:: math.ceil(len(ticks) / 7)] if len(ticks) > 2 else linear_ticks(low, high, 5)
