"""Families: rows that are one product, as copies of a listing or as its variants.

Rows are laid out category by category and family by family, as many of each as there are to be, and then dealt out over
the table. Shares are therefore exact, and a row finds its family by its number alone.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from etalage.sample.mimic.category_path import CategoryPath
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["Family", "Layout", "family_sizes", "sharing_probability"]

_GOLDEN = (math.sqrt(5) - 1) / 2
"""Multiples of the golden ratio, modulo 1, are spread most evenly."""


@dataclass(frozen=True)
class Family:
    """A row's family, and the row's place in it."""

    path: CategoryPath
    number: int
    """Unique among all families."""
    member: int
    """0 for the first row of the family."""
    quantile: float
    """Between 0 and 1, evenly spread over the families of a category."""


@dataclass(frozen=True)
class Layout:
    """The families of all rows."""

    num_rows: int
    step: int
    """Coprime to the number of rows: neighbouring rows are this far apart in the layout."""
    shift: int
    starts: tuple[int, ...]
    """The first place of each segment."""
    segments: tuple[tuple[CategoryPath, int], ...]
    """The category and the size of the families in each segment."""

    @classmethod
    def plan(
        cls,
        num_rows: int,
        shares: Mapping[CategoryPath, float],
        sizes: Mapping[CategoryPath, Mapping[int, float]],
        seed: int,
    ) -> "Layout":
        """Lay out the rows of a table.

        Args:
            num_rows: Rows to make.
            shares: The share of rows in each category; they sum to 1.
            sizes: By category, the share of its rows in families of each size.
            seed: Decides how rows are dealt out.

        Returns:
            The layout.
        """
        starts, segments = [], []
        done = 0.0
        end = 0
        for path, share in shares.items():
            for size, part in sizes[path].items():
                # Rounding the running total, not each part, keeps all segments together at exactly num_rows.
                done += share * part * num_rows
                start, end = end, round(done)
                if end > start:
                    starts.append(start)
                    segments.append((path, size))
        first_step = max(1, int(num_rows * _GOLDEN))
        # A step without a common factor visits every place once; the golden ratio puts neighbouring rows far apart.
        step = next(n for n in range(first_step, 2 * num_rows + 2) if math.gcd(n, num_rows) == 1)
        # Neighbouring seeds begin far apart in the layout.
        return cls(num_rows, step, seed * 7919 % num_rows, tuple(starts), tuple(segments))

    def family_of(self, row: int) -> Family:
        """Return the family of a row; rows beyond the planned ones repeat the layout with other families."""
        lap, row = divmod(row, self.num_rows)
        place = (row * self.step + self.shift) % self.num_rows
        segment = bisect_right(self.starts, place) - 1
        path, size = self.segments[segment]
        # A segment's last family may be cut short, where its rows are no multiple of the size.
        family, member = divmod(place - self.starts[segment], size)
        first = self.starts[segment] + family * size
        # Each lap has numbers of its own, so that further rows are new products.
        return Family(path, lap * self.num_rows + first, member, (0.5 + (first + 1) * _GOLDEN) % 1.0)


def family_sizes(groups: Sequence[str]) -> dict[int, float]:
    """Return the share of rows in families of each size; sizes of fewer than K families are averaged.

    Args:
        groups: The family of each row.

    Returns:
        Shares by size, in ascending order of size; they sum to 1.
    """
    sizes = sorted(Counter(groups).values())
    counts = Counter(sizes)
    found: Counter[int] = Counter()
    rare = [size for size in sizes if counts[size] < K]
    for size, count in counts.items():
        if count >= K:
            found[size] += size * count
    # Bins of at least K families: a single large family must not be known by its size. Fewer than K are left out.
    num_bins = len(rare) // K
    for index in range(num_bins):
        part = rare[len(rare) * index // num_bins : len(rare) * (index + 1) // num_bins]
        found[max(1, round(fmean(part)))] += sum(part)
    total = found.total()
    return {size: rows / total for size, rows in sorted(found.items())} if total else {1: 1.0}


def sharing_probability(values: Sequence[object], groups: Sequence[str]) -> float:
    """Estimate how probably a row has its family's value rather than one of its own.

    Two rows of a family then agree with the square of this probability, beyond what chance gives.

    Args:
        values: The value of each row.
        groups: The family of each row.

    Returns:
        The probability; 0 where fewer than K families have two rows or more.
    """
    members: dict[str, list[object]] = {}
    for value, group in zip(values, groups, strict=True):
        members.setdefault(group, []).append(value)
    several = [found for found in members.values() if len(found) > 1]
    if len(several) < K:
        return 0.0
    equal = fmean(_equal_pairs(found) for found in several)
    # Two rows of different families agree this often, too.
    chance = sum((count / len(values)) ** 2 for count in Counter(values).values())
    return math.sqrt(max(0.0, (equal - chance) / (1 - chance))) if chance < 1 else 0.0


def _equal_pairs(values: Sequence[object]) -> float:
    """Return the share of pairs that are equal."""
    n = len(values)
    return sum(count * (count - 1) for count in Counter(values).values()) / (n * (n - 1))
