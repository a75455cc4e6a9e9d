"""The dependence of numbers on each other and on categories.

A Gaussian copula (Nelsen, An Introduction to Copulas, 2006, section 2.3) of the values' normal scores.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.category_path import CategoryPath
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["ScoreMixture", "between_group_share", "correlation_factor", "normal_scores"]

_NORMAL = NormalDist()
# Five standard deviations to each side hold all but one score in a million; 20 points per unit are interpolated.
_GRID = tuple(step / 20 for step in range(-100, 101))


@dataclass(frozen=True)
class ScoreMixture:
    """The normal scores of categories that share a marginal: one normal distribution for each category."""

    categories: Mapping[CategoryPath, tuple[float, float]]
    """Mean and standard deviation of the scores of each category with at least K rows, shrunk towards 0 and 1."""
    cumulative: tuple[float, ...]
    """Share of all scores below each point of a grid."""

    @classmethod
    def learn(
        cls, scores: Mapping[CategoryPath, Sequence[float]], shares: Mapping[CategoryPath, float]
    ) -> "ScoreMixture":
        """Learn as if each category had K more rows, of which none differs from the whole.

        Args:
            scores: Normal scores of the rows, by category.
            shares: The share of each category among the rows to make.

        Returns:
            The mixture.
        """
        categories = {path: _shrink(values) for path, values in scores.items() if len(values) >= K}
        below = np.zeros(len(_GRID))
        for path, share in shares.items():
            mean, deviation = categories.get(path, (0.0, 1.0))
            # Each category's share of this curve is a normal distribution. Read through the curve, the quantiles of all
            # categories together are even, so the marginal comes out as it was learned.
            below += share * np.array([_NORMAL.cdf((point - mean) / deviation) for point in _GRID])
        return cls(categories, tuple((below / (sum(shares.values()) or 1.0)).tolist()))

    def quantile(self, path: CategoryPath, residual: float) -> float:
        """Return the quantile of the marginal for a residual of a category.

        Args:
            path: The category.
            residual: Standard deviations from the category's mean.

        Returns:
            The quantile among all categories, between 0 and 1.
        """
        mean, deviation = self.categories.get(path, (0.0, 1.0))
        place = (min(max(mean + deviation * residual, _GRID[0]), _GRID[-1] - 1e-9) - _GRID[0]) * 20
        index = int(place)
        low, high = self.cumulative[index], self.cumulative[index + 1]
        # Neither 0 nor 1, whose normal scores are infinite.
        return min(max(low + (high - low) * (place - index), 1e-9), 1 - 1e-9)

    def residual(self, path: CategoryPath, score: float) -> float:
        """Return the standard deviations by which a score differs from its category's mean.

        Args:
            path: The category.
            score: The normal score among all categories.

        Returns:
            The residual.
        """
        mean, deviation = self.categories.get(path, (0.0, 1.0))
        return (score - mean) / deviation


def _shrink(scores: Sequence[float]) -> tuple[float, float]:
    n, mean = len(scores), fmean(scores)
    squares = sum((score - mean) ** 2 for score in scores)
    # The floor keeps a category of equal values from dividing by zero.
    return mean * n / (n + K), max(0.05, math.sqrt((squares + K) / (n + K)))


def normal_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal quantile of each value's rank; equal values share their middle rank.

    Args:
        values: (N,) float64.

    Returns:
        (N,) float64 of mean 0 and, without ties, standard deviation near 1.
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    # Half of a value's own rows count as below it: no share is 0 or 1, whose normal scores are infinite.
    middle = (np.cumsum(counts) - counts / 2) / len(values)
    scores = np.array([_NORMAL.inv_cdf(share) for share in middle.tolist()])
    found: NDArray[np.float64] = scores[place]
    return found


def correlation_factor(residuals: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """Return the factor that correlates independent normal numbers as these are.

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
            # A number that does not vary has no correlation; numpy would divide by zero.
            if len(both) > 2 * K and both.std(axis=0).min() > 1e-9:
                found: Any = np.corrcoef(both.T)
                matrix[one, other] = matrix[other, one] = found[0, 1]
    # Pairs are estimated from different rows where numbers are missing, so the matrix may not be positive definite.
    values, vectors = np.linalg.eigh(matrix)
    lifted: Any = vectors @ np.diag(np.maximum(values, 1e-6)) @ vectors.T
    # Lifting moves the diagonal away from 1, which a correlation matrix has to have.
    scale = np.sqrt(np.diag(lifted))
    return tuple(map(tuple, np.linalg.cholesky(lifted / np.outer(scale, scale)).tolist()))


def between_group_share(residuals: NDArray[np.float64], groups: Sequence[str]) -> float:
    """Return the share of the variance that is between groups, by one-way analysis of variance.

    Args:
        residuals: (N,) float64, NaN where one is missing.
        groups: The group of each row.

    Returns:
        The share, below 1; 0 where fewer than K groups have two members or more.
    """
    members: dict[str, list[float]] = {}
    for value, group in zip(residuals.tolist(), groups, strict=True):
        if not math.isnan(value):
            members.setdefault(group, []).append(value)
    several = [values for values in members.values() if len(values) > 1]
    if len(several) < K:
        return 0.0
    # Families are small: without the correction by one member their variance would come out too low.
    within = fmean(float(np.var(values, ddof=1)) for values in several)
    total = float(np.nanvar(residuals))
    return min(max(1 - within / total, 0.0), 0.999) if total > 0 else 0.0
