"""Which rows are one product: copies of a listing, and its variants. And which category each family is of.

Rows are laid out category by category and family by family, as many of each as there are to be, and then dealt out over
the table. So shares are exact, and a row finds its place by its number alone.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from etalage.sample.mimic.suppressed_counts import K

__all__ = ["Family", "Layout", "agreement", "family_sizes"]

Path = tuple[str, ...]
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Family:
    """Where a row stands."""

    path: Path
    """Its categories, from the widest to the narrowest."""
    number: int
    """No other family has it."""
    member: int
    """0 for the first row of the family."""
    share: float
    """Between 0 and 1, evenly spread over the families of a category."""


@dataclass(frozen=True)
class Layout:
    """The places of all rows."""

    rows: int
    step: int
    """Coprime to the number of rows: neighbouring rows stand this far apart in the layout."""
    shift: int
    starts: tuple[int, ...]
    segments: tuple[tuple[Path, int], ...]
    """Category and size of the families in each."""

    @classmethod
    def plan(
        cls, rows: int, shares: Mapping[Path, float], sizes: Mapping[Path, Mapping[int, float]], seed: int
    ) -> "Layout":
        """Lay out.

        Args:
            shares: Of the rows, by category; they sum to 1.
            sizes: By category, the share of rows in families of each size.
        """
        starts, segments = [], []
        done = 0.0
        end = 0
        for path, share in shares.items():
            for size, part in sizes[path].items():
                done += share * part * rows
                start, end = end, round(done)
                if end > start:
                    starts.append(start)
                    segments.append((path, size))
        step = next(n for n in range(max(1, int(rows * _GOLDEN)), 2 * rows + 2) if math.gcd(n, rows) == 1)
        return cls(rows, step, seed * 7919 % rows, tuple(starts), tuple(segments))

    def family(self, number: int) -> Family:
        """Of a row; rows beyond the planned ones begin anew, in other families."""
        lap, number = divmod(number, self.rows)
        place = (number * self.step + self.shift) % self.rows
        segment = bisect_right(self.starts, place) - 1
        path, size = self.segments[segment]
        family, member = divmod(place - self.starts[segment], size)
        first = self.starts[segment] + family * size
        return Family(path, lap * self.rows + first, member, (0.5 + (first + 1) * _GOLDEN) % 1.0)


def family_sizes(groups: Sequence[str]) -> dict[int, float]:
    """The share of rows in families of each size, where fewer than K families of a size count as their mean.

    Args:
        groups: The group of each row.
    """
    sizes = sorted(Counter(groups).values())
    counts = Counter(sizes)
    found: Counter[int] = Counter()
    rare = [size for size in sizes if counts[size] < K]
    for size, count in counts.items():
        if count >= K:
            found[size] += size * count
    num_bins = len(rare) // K
    for number in range(num_bins):
        part = rare[len(rare) * number // num_bins : len(rare) * (number + 1) // num_bins]
        found[max(1, round(fmean(part)))] += sum(part)
    total = found.total()
    return {size: rows / total for size, rows in sorted(found.items())} if total else {1: 1.0}


def agreement(values: Sequence[object], groups: Sequence[str]) -> float:
    """How probably a row has its family's value rather than one of its own; beyond what chance would give.

    Two of a family then agree with the square of this probability.
    """
    members: dict[str, list[object]] = {}
    for value, group in zip(values, groups, strict=True):
        members.setdefault(group, []).append(value)
    several = [values for values in members.values() if len(values) > 1]
    if len(several) < K:
        return 0.0
    alike = fmean(_alike(values) for values in several)
    chance = sum((count / len(values)) ** 2 for count in Counter(values).values())
    return math.sqrt(max(0.0, (alike - chance) / (1 - chance))) if chance < 1 else 0.0


def _alike(values: Sequence[object]) -> float:
    """The share of pairs that are equal."""
    n = len(values)
    return sum(count * (count - 1) for count in Counter(values).values()) / (n * (n - 1))
