"""Weighted statistics: each takes weights (R, E) float64 on E examples and returns R numbers, nan where undefined.

Letters: E examples, R rows of weights, N n-gram orders.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.helpers import extract_all_char_ngrams

__all__ = ["Floats", "chrf", "count_ngrams", "divide", "weighted_mean", "weighted_median"]

Floats = NDArray[np.float64]


def weighted_mean(weights: Floats, values: Floats) -> Floats:
    """Return the mean of values in which each counts as often as its weight says.

    Args:
        weights: (R, E) float64, at least 0.
        values: (E,) float64.
    """
    return divide(weights @ values, weights.sum(axis=1))


def weighted_median(weights: Floats, values: Floats) -> Floats:
    """Return the median of values in which each is repeated as often as its weight says.

    Args:
        weights: (R, E) float64, whole numbers.
        values: (E,) float64.
    """
    if not len(values):
        return np.full(len(weights), np.nan)
    order = np.argsort(values)
    num_up_to = np.cumsum(weights[:, order], axis=1)
    total = num_up_to[:, -1]
    # With an even number of repeats the median lies between the two in the middle.
    middle = [
        values[order][np.minimum((num_up_to <= rank[:, None]).sum(axis=1), len(values) - 1)]
        for rank in ((total - 1) // 2, total // 2)
    ]
    return np.where(total > 0, (middle[0] + middle[1]) / 2, np.nan)


def count_ngrams(target: str, prediction: str) -> list[int]:
    """Count character n-grams: the sufficient statistics of chrF, as sacrebleu counts them.

    Args:
        target: The true text.
        prediction: The generated text.

    Returns:
        For each order the number of n-grams in the prediction, in the target and in both, one after the other: 3 * N.
    """
    counts = []
    orders = (extract_all_char_ngrams(text, CHRF.CHAR_ORDER, include_whitespace=False) for text in (prediction, target))
    for predicted, true in zip(*orders, strict=True):
        # An order that a short target has no n-gram of does not count for its prediction either, as in sacrebleu.
        counts += [predicted.total() if true else 0, true.total(), (predicted & true).total()]
    return counts


def chrf(counts: Floats) -> Floats:
    """Return corpus chrF (0 to 100): F2 of precision and recall, each averaged over the orders that occur.

    Args:
        counts: (R, 3 * N) float64, sums over the examples of what `count_ngrams` returns.

    Source: Popović 2015; sacrebleu 2, CHRF._compute_f_score with its defaults.
    """
    predicted, true, both = np.moveaxis(counts.reshape(len(counts), -1, 3), 2, 0)  # (R, N) each
    occurs = (predicted > 0) & (true > 0)
    num_orders = occurs.sum(axis=1)
    precision = divide(np.where(occurs, divide(both, predicted), 0).sum(axis=1), num_orders)
    recall = divide(np.where(occurs, divide(both, true), 0).sum(axis=1), num_orders)
    # Without any n-gram in common chrF is 0 and not undefined.
    beta2 = CHRF.BETA**2
    return np.nan_to_num(100 * divide((1 + beta2) * precision * recall, beta2 * precision + recall))


def divide(numerator: Any, denominator: Any) -> Floats:
    """Return the quotients, nan where the denominator is not above 0.

    Args:
        numerator: An array of numbers.
        denominator: An array of the same shape.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(denominator) > 0, np.divide(numerator, denominator), np.nan)
