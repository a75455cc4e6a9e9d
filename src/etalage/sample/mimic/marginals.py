"""The law of a number: which values, how frequent, how round; and how numbers hang together.

A Gaussian copula (Nelsen, An Introduction to Copulas, 2006, section 2.3) of the values' normal scores.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import NormalDist, fmean, pstdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.suppressed_counts import Cells, K

__all__ = ["Grain", "Marginal", "Mixture", "correlated", "normal_scores"]

Place = tuple[str, ...]
"""In the category tree."""

_NORMAL = NormalDist()
_MOST_BINS = 200
_GRID = tuple(step / 20 for step in range(-100, 101))
_SQRT3 = math.sqrt(3.0)


@dataclass(frozen=True)
class Marginal:
    """How a number is distributed: values that at least K rows share, and between them ranges of at least K rows."""

    upto: tuple[float, ...]
    """Share of the rows up to the end of each piece."""
    pieces: tuple[tuple[float, float, bool], ...]
    """Ends of each, and whether it is a value that is kept."""
    logarithmic: bool

    @classmethod
    def learn(cls, values: Sequence[float]) -> "Marginal":
        """From at least K values. A range is told by mean and spread of its rows, never by one of them."""
        logarithmic = min(values) > 0
        runs = _runs(sorted(values))
        pieces = [piece for run in runs for piece in _pieces(run, len(values), logarithmic)]
        upto = accumulate(count / len(values) for _, _, count, _ in pieces)
        kept = [is_kept for _, _, _, is_kept in pieces]
        ends = _in_order([(low, high) for low, high, _, _ in pieces])
        return cls(tuple(upto), tuple((*two, is_kept) for two, is_kept in zip(ends, kept, strict=True)), logarithmic)

    def at(self, share: float) -> tuple[float, bool]:
        """The value that this share of the rows is below, and whether it is one that is kept as it is."""
        number = min(bisect_right(self.upto, share), len(self.pieces) - 1)
        low, high, is_kept = self.pieces[number]
        start = self.upto[number - 1] if number else 0.0
        part = (share - start) / (self.upto[number] - start)
        return (low * (high / low) ** part if self.logarithmic else low + (high - low) * part), is_kept


def _runs(ordered: Sequence[float]) -> list[list[float]]:
    """Values that K rows share, and what lies between; what is too little to be a range counts to those values."""
    counts = Counter(ordered)
    runs: list[list[float]] = []
    for value in ordered:
        shared = counts[value] >= K
        if not runs or (value != runs[-1][-1] and (shared or counts[runs[-1][-1]] >= K)):
            runs.append([])
        runs[-1].append(value)
    for number, run in enumerate(runs):
        if len(run) < K:  # so both its neighbours are shared values
            below = [] if number == 0 else runs[number - 1]
            above = [] if number + 1 == len(runs) else runs[number + 1]
            num_below = len(run) if not above else 0 if not below else len(run) // 2
            below += below[-1:] * num_below
            above += above[:1] * (len(run) - num_below)
    return [run for run in runs if len(run) >= K]


def _pieces(run: Sequence[float], total: int, logarithmic: bool) -> list[tuple[float, float, int, bool]]:
    """Ends, number of rows, and whether it is a value that is kept: a narrow range's ends may meet, too."""
    if run[0] == run[-1]:
        return [(run[0], run[0], len(run), True)]
    num_bins = max(1, min(len(run) // K, math.ceil(_MOST_BINS * len(run) / total)))
    edges = [len(run) * number // num_bins for number in range(num_bins + 1)]
    return [(*_range(run[start:end], logarithmic), end - start, False) for start, end in pairwise(edges)]


def _range(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    """The ends of the even distribution that has the values' mean and spread."""
    scaled = [math.log(value) for value in values] if logarithmic else values
    middle, reach = fmean(scaled), _SQRT3 * pstdev(scaled)
    ends = (middle - reach, middle + reach)
    return (math.exp(ends[0]), math.exp(ends[1])) if logarithmic else ends


def _in_order(pieces: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Cut where neighbours overlap."""
    ends = [list(piece) for piece in pieces]
    for one, other in pairwise(ends):
        if one[1] > other[0]:
            border = other[0] if other[0] == other[1] else one[1] if one[0] == one[1] else (one[1] + other[0]) / 2
            one[1], other[0] = max(one[0], min(one[1], border)), min(other[1], max(other[0], border))
    return [(low, high) for low, high in ends]


@dataclass(frozen=True)
class Grain:
    """How round numbers are: multiples of ten, a hundred ..., or their last two digits."""

    decimals: int
    endings: Cells[int]
    """By the number of digits: n >= 0 for a multiple of 10 ** n, -1 - e for the last two digits e."""

    @classmethod
    def learn(cls, values: Sequence[float], decimals: int) -> "Grain":
        wholes = [abs(round(value * 10**decimals)) for value in values]
        frequent = Counter(whole % 100 for whole in wholes if whole % 10)
        least = max(K, len(values) // 50)
        seen = []
        for row, whole in enumerate(wholes):
            zeros = _zeros(whole)
            ending = -1 - whole % 100 if not zeros and frequent[whole % 100] >= least and whole >= 100 else zeros
            seen.append(((len(str(whole)), ()), ending, row))
        return cls(decimals, Cells.learn(seen, 0))

    def round(self, value: float, uniform: float) -> float:
        """A number near this one that is as round as its like are."""
        whole = abs(value) * 10**self.decimals
        digits = len(str(int(whole)))
        ending = self.endings.draw((digits, ()), uniform)
        if ending < 0 and digits > 2:
            step, offset = 100, -1 - ending
        else:
            step, offset = 10 ** min(max(0, ending), digits - 1), 0
        rounded = max(round((whole - offset) / step), 0) * step + offset
        return math.copysign((rounded or (1 if value else 0)) / 10**self.decimals, value)


def _zeros(whole: int) -> int:
    digits = str(whole)
    return len(digits) - len(digits.rstrip("0")) if whole else 0


@dataclass(frozen=True)
class Mixture:
    """Normal scores of categories that share a marginal, brought back to what that marginal is to be."""

    places: Mapping[Place, tuple[float, float]]
    """Mean and standard deviation of the scores, shrunk to those of all, of each category with at least K rows."""
    below: tuple[float, ...]
    """Share of all scores below each point of a grid."""

    @classmethod
    def learn(cls, scores: Mapping[Place, Sequence[float]], shares: Mapping[Place, float]) -> "Mixture":
        """Shrink as if K rows more of each category were like all others, and weigh by the shares to be made."""
        places = {name: _shrunk(values) for name, values in scores.items() if len(values) >= K}
        below = np.zeros(len(_GRID))
        for name, share in shares.items():
            mean, deviation = places.get(name, (0.0, 1.0))
            below += share * np.array([_NORMAL.cdf((point - mean) / deviation) for point in _GRID])
        return cls(places, tuple((below / (sum(shares.values()) or 1.0)).tolist()))

    def share(self, name: Place, residual: float) -> float:
        """Where the marginal is to be read for a category's residual."""
        mean, deviation = self.places.get(name, (0.0, 1.0))
        place = (min(max(mean + deviation * residual, _GRID[0]), _GRID[-1] - 1e-9) - _GRID[0]) * 20
        number = int(place)
        low, high = self.below[number], self.below[number + 1]
        return min(max(low + (high - low) * (place - number), 1e-9), 1 - 1e-9)

    def residual(self, name: Place, score: float) -> float:
        mean, deviation = self.places.get(name, (0.0, 1.0))
        return (score - mean) / deviation


def _shrunk(scores: Sequence[float]) -> tuple[float, float]:
    n, mean = len(scores), fmean(scores)
    spread = sum((score - mean) ** 2 for score in scores)
    return mean * n / (n + K), max(0.05, math.sqrt((spread + K) / (n + K)))


def normal_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """By rank; equal values share their middle one.

    Args:
        values: (N,) float64.
    Returns:
        (N,) float64 of mean 0 and, without ties, standard deviation near 1.
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(values)
    scores = np.array([_NORMAL.inv_cdf(share) for share in middle.tolist()])
    found: NDArray[np.float64] = scores[place]
    return found


def correlated(residuals: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """The factor that makes independent normal numbers as correlated as these.

    Args:
        residuals: (N, C) float64, NaN where a number is missing.
    Returns:
        (C, C), lower triangular: the Cholesky factor of the nearest correlation matrix found by lifting eigenvalues.
    """
    size = residuals.shape[1]
    matrix = np.eye(size)
    for one in range(size):
        for other in range(one):
            both = residuals[~np.isnan(residuals[:, [one, other]]).any(axis=1)][:, [one, other]]
            if len(both) > 2 * K and both.std(axis=0).min() > 1e-9:
                found: Any = np.corrcoef(both.T)
                matrix[one, other] = matrix[other, one] = found[0, 1]
    values, vectors = np.linalg.eigh(matrix)
    lifted: Any = vectors @ np.diag(np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(lifted))
    return tuple(map(tuple, np.linalg.cholesky(lifted / np.outer(scale, scale)).tolist()))
