"""Similarity of two tables, column by column and over pairs of columns.

Definitions are those of SDMetrics (docs.sdv.dev/sdmetrics: KSComplement, TVComplement, CorrelationSimilarity and
ContingencySimilarity, which is TVComplement of pairs), written here in a few lines each; a test compares them with that
library.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.original import LINK, Column, Original, Text
from etalage.sample.mimic.words import shape_of

__all__ = [
    "Floats",
    "column_fidelity",
    "correlation_similarity",
    "ks_complement",
    "pair_similarity",
    "tv_complement",
    "without_host",
]

Floats = NDArray[np.float64]


def ks_complement(one: Floats, other: Floats) -> float:
    """Return 1 minus the largest distance between two samples' cumulative shares (Kolmogorov-Smirnov).

    Args:
        one: (N,) float64 without NaN, at least one.
        other: (M,) float64 without NaN, at least one.
    """
    # Shares only change at values, so the largest distance is at one of them.
    points = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(side), points, side="right") / len(side) for side in (one, other)]
    return 1.0 - float(np.abs(below[0] - below[1]).max())


def tv_complement(one: Sequence[Any], other: Sequence[Any]) -> float:
    """Return 1 minus half the sum of the differences between shares (total variation).

    Args:
        one: Values, or pairs of values; at least one.
        other: As one.
    """
    left, right = Counter(one), Counter(other)
    # The union, since a value that one side lacks counts in full.
    return 1 - sum(abs(left[value] / len(one) - right[value] / len(other)) for value in left | right) / 2


def correlation_similarity(one: NDArray[Any], other: NDArray[Any]) -> float | None:
    """Return 1 minus half the difference of Pearson's correlations; None where a number never varies.

    Args:
        one: (N, 2) float64 without NaN.
        other: (M, 2) float64 without NaN.
    """
    if min(len(one), len(other)) < 2 or min(one.std(axis=0).min(), other.std(axis=0).min()) == 0:
        return None
    return 1 - abs(float(np.corrcoef(one.T)[0, 1] - np.corrcoef(other.T)[0, 1])) / 2


def column_fidelity(column: Column, one: Original, other: Original) -> dict[str, Any]:
    """Compare a column of two tables.

    Args:
        column: The column.
        one: A table with this column.
        other: Another table with this column.

    Returns:
        kind; parts: the similarities by name; and score: the mean of the parts, but at most 1 minus the difference
        between the shares of empty cells.
    """
    left, right = one.texts[column.name], other.texts[column.name]
    if column.kind == "category":
        parts = {"shares": tv_complement(left, right)}
    elif column.kind in ("number", "date"):
        parts = _compare_parts(column, left, right, {"values": _values})
    else:
        parts = _compare_parts(
            column, left, right, {"characters": _num_characters, "words": _num_words, "shapes": _shapes}
        )
    # Values are compared where they are given; a wrong share of gaps has to cost as well.
    missing = [sum(text is None for text in texts) / len(texts) for texts in (left, right)]
    return {"kind": column.kind, "score": min(fmean(parts.values()), 1 - abs(missing[0] - missing[1])), "parts": parts}


def pair_similarity(columns: Sequence[Column], one: Original, other: Original, *, numeric: bool) -> float | None:
    """Return the mean similarity over all pairs of columns of a kind; None without any.

    Args:
        columns: The columns of both tables.
        one: A table with these columns.
        other: Another table with these columns.
        numeric: Whether to compare the correlations of numbers and dates, or else the joint shares of categories.
    """
    kinds = ("number", "date") if numeric else ("category",)
    chosen = [column for column in columns if column.kind in kinds]
    sides = [[_cells(column, side, numeric) for column in chosen] for side in (one, other)]
    found: list[float | None] = []
    for first, second in combinations(range(len(chosen)), 2):
        if numeric:
            left, right = (np.column_stack([side[first], side[second]]) for side in sides)
            found.append(correlation_similarity(*(pairs[~np.isnan(pairs).any(axis=1)] for pairs in (left, right))))
        else:
            found.append(tv_complement(*(list(zip(side[first], side[second], strict=True)) for side in sides)))
    return fmean(defined) if (defined := [score for score in found if score is not None]) else None


def without_host(column: Column, text: str) -> str:
    """Return the part of a text that is compared: all of it, but a link without its host.

    A sample's links always have the same host, which says nothing about the sample.

    Args:
        column: The column that the text is from.
        text: A cell of the column.
    """
    return LINK.sub("", text, count=1) if column.kind == "link" else text


def _compare_parts(
    column: Column,
    left: Sequence[Text],
    right: Sequence[Text],
    parts: Mapping[str, Callable[[Column, Sequence[str]], Any]],
) -> dict[str, float]:
    given = [[text for text in texts if text is not None] for texts in (left, right)]
    found = {}
    for name, extract in parts.items():
        one, other = (extract(column, texts) for texts in given)
        if not len(one) or not len(other):  # a column may be empty on one side, or on both
            found[name] = float(len(one) == len(other))
        else:
            found[name] = tv_complement(one, other) if name == "shapes" else ks_complement(one, other)
    return found


def _values(column: Column, texts: Sequence[str]) -> Floats:
    return np.array([value for text in texts if (value := column.read(text)) is not None], np.float64)


def _num_characters(column: Column, texts: Sequence[str]) -> Floats:
    return np.array([len(without_host(column, text)) for text in texts], np.float64)


def _num_words(column: Column, texts: Sequence[str]) -> Floats:
    return np.array([len(without_host(column, text).split()) for text in texts], np.float64)


def _shapes(column: Column, texts: Sequence[str]) -> list[str]:
    return [shape_of(word) for text in texts for word in without_host(column, text).split()]


def _cells(column: Column, side: Original, numeric: bool) -> Any:
    texts = side.texts[column.name]
    return column.numbers(texts) if numeric else texts
