"""The distribution of a number."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import fmean, pstdev

from etalage.sample.mimic.suppressed_counts import K

__all__ = ["Marginal"]

_MAX_BINS = 200
_SQRT3 = math.sqrt(3.0)
"""An even distribution reaches this many standard deviations to each side of its mean."""


@dataclass(frozen=True)
class Marginal:
    """A distribution of values that at least K rows share, with ranges of at least K rows between them."""

    cumulative: tuple[float, ...]
    """Share of the rows up to the end of each piece."""
    pieces: tuple[tuple[float, float, bool], ...]
    """Both ends of each piece, and whether it is a value that is kept."""
    is_logarithmic: bool

    @classmethod
    def learn(cls, values: Sequence[float]) -> "Marginal":
        """Learn from at least K values; a range is known by the mean and spread of its rows, never by one of them."""
        # Prices and weights are skewed: on a logarithmic scale an even range follows them better.
        is_logarithmic = min(values) > 0
        runs = _split_runs(sorted(values))
        pieces = [piece for run in runs for piece in _pieces(run, len(values), is_logarithmic)]
        cumulative = accumulate(count / len(values) for _, _, count, _ in pieces)
        kept = [is_kept for _, _, _, is_kept in pieces]
        ends = _without_overlaps([(low, high) for low, high, _, _ in pieces])
        return cls(
            tuple(cumulative),
            tuple((low, high, is_kept) for (low, high), is_kept in zip(ends, kept, strict=True)),
            is_logarithmic,
        )

    def quantile(self, share: float) -> tuple[float, bool]:
        """Return the value that a share of the rows is below, and whether it is one that is kept as it is."""
        # Sums of floats may end below 1, so the highest shares take the last piece.
        index = min(bisect_right(self.cumulative, share), len(self.pieces) - 1)
        low, high, is_kept = self.pieces[index]
        start = self.cumulative[index - 1] if index else 0.0
        part = (share - start) / (self.cumulative[index] - start)
        return (low * (high / low) ** part if self.is_logarithmic else low + (high - low) * part), is_kept


def _split_runs(ordered: Sequence[float]) -> list[list[float]]:
    """Split into values that K rows share and what lies between; too few rows for a range join the values near them."""
    counts = Counter(ordered)
    runs: list[list[float]] = []
    for value in ordered:
        is_shared = counts[value] >= K
        if not runs or (value != runs[-1][-1] and (is_shared or counts[runs[-1][-1]] >= K)):
            runs.append([])
        runs[-1].append(value)
    for index, run in enumerate(runs):
        if len(run) < K:  # so both its neighbours are shared values
            below = [] if index == 0 else runs[index - 1]
            above = [] if index + 1 == len(runs) else runs[index + 1]
            # Half goes each way, for the shares of both neighbours to grow alike.
            num_below = len(run) if not above else 0 if not below else len(run) // 2
            # In place: the rows take the neighbour's value, so that no share is lost with them.
            below += below[-1:] * num_below
            above += above[:1] * (len(run) - num_below)
    return [run for run in runs if len(run) >= K]


def _pieces(run: Sequence[float], total: int, is_logarithmic: bool) -> list[tuple[float, float, int, bool]]:
    """Return both ends, the number of rows, and whether it is a kept value: ends of a narrow range may meet, too."""
    if run[0] == run[-1]:
        return [(run[0], run[0], len(run), True)]
    # At least K rows in each range, and no more of all _MAX_BINS ranges than the run's share of the rows.
    num_bins = max(1, min(len(run) // K, math.ceil(_MAX_BINS * len(run) / total)))
    edges = [len(run) * index // num_bins for index in range(num_bins + 1)]
    return [(*_even_range(run[start:end], is_logarithmic), end - start, False) for start, end in pairwise(edges)]


def _even_range(values: Sequence[float], is_logarithmic: bool) -> tuple[float, float]:
    """Return the ends of the even distribution that has the values' mean and spread."""
    scaled = [math.log(value) for value in values] if is_logarithmic else values
    middle, reach = fmean(scaled), _SQRT3 * pstdev(scaled)
    ends = (middle - reach, middle + reach)
    return (math.exp(ends[0]), math.exp(ends[1])) if is_logarithmic else ends


def _without_overlaps(pieces: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Cut neighbours that overlap, at a kept value or in the middle."""
    ends = [list(piece) for piece in pieces]
    for one, other in pairwise(ends):
        if one[1] > other[0]:
            # A kept value has no width to give away, so its neighbour alone is cut.
            border = other[0] if other[0] == other[1] else one[1] if one[0] == one[1] else (one[1] + other[0]) / 2
            # A piece may shrink to nothing, but its ends must not change places: `quantile` has to rise.
            one[1], other[0] = max(one[0], min(one[1], border)), min(other[1], max(other[0], border))
    return [(low, high) for low, high in ends]
