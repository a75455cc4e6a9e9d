"""How round a column's numbers are."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from etalage.sample.mimic.suppressed_counts import K, SuppressedCounts

__all__ = ["Rounding"]


@dataclass(frozen=True)
class Rounding:
    """The share of numbers that are multiples of ten, of a hundred ..., or that end in certain two digits."""

    decimals: int
    endings: SuppressedCounts[int]
    """By the number of digits: n >= 0 for a multiple of 10 ** n, -1 - e for the last two digits e."""

    @classmethod
    def learn(cls, values: Sequence[float], decimals: int) -> "Rounding":
        """Learn from values.

        Args:
            values: The column's numbers.
            decimals: Digits after the point that the column is written with.

        Returns:
            How round the values are.
        """
        wholes = [abs(round(value * 10**decimals)) for value in values]
        # What ends in 0 is counted as a multiple of ten, not as an ending.
        frequent = Counter(whole % 100 for whole in wholes if whole % 10)
        # Two digits occur in 1 % of the values by chance: an ending counts as a habit from twice that on.
        least = max(K, len(values) // 50)
        observations = []
        for row, whole in enumerate(wholes):
            # Large amounts are rounder than small ones, so the number of digits is the context.
            zeros = _num_zeros(whole)
            ending = -1 - whole % 100 if not zeros and frequent[whole % 100] >= least and whole >= 100 else zeros
            observations.append(((len(str(whole)), ()), ending, row))
        return cls(decimals, SuppressedCounts.learn(observations, 0))

    def round(self, value: float, uniform: float) -> float:
        """Round a value as the column's numbers of its size are rounded.

        Args:
            value: The value.
            uniform: Decides how round it becomes, from 0 to 1.

        Returns:
            A number near the value; never 0 unless the value is.
        """
        whole = abs(value) * 10**self.decimals
        digits = len(str(int(whole)))
        ending = self.endings.draw((digits, ()), uniform)
        if ending < 0 and digits > 2:
            step, offset = 100, -1 - ending
        else:
            # No coarser than the number's first digit: a price of 40 must not be rounded to 0.
            step, offset = 10 ** min(max(0, ending), digits - 1), 0
        rounded = max(round((whole - offset) / step), 0) * step + offset
        # A price that would become 0 gets the smallest amount instead.
        return math.copysign((rounded or (1 if value else 0)) / 10**self.decimals, value)


def _num_zeros(whole: int) -> int:
    digits = str(whole)
    return len(digits) - len(digits.rstrip("0")) if whole else 0
