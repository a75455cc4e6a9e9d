"""Shares of original and sample side by side, without anything that fewer than K rows have."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from etalage.sample.fidelity.similarity import Floats, without_host
from etalage.sample.mimic.original import Column, Original, Text
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["compare_shares"]

_NUM_BARS = 12


def compare_shares(column: Column, original: Original, sample: Original) -> dict[str, Any] | None:
    """Count the rows of each bar of a chart.

    Args:
        column: The column to count.
        original: The rows that were learned from.
        sample: The sample's rows.

    Returns:
        name; of: what is counted; labels of the bars; original and sample: the share of rows in each bar, None for the
        original where it has rows, but fewer than K; rest: the share of the rows that no bar stands for, of both.
        None for columns with nothing to show.
    """
    if column.kind in ("empty", "picture", "constant"):
        return None
    left, right = original.texts[column.name], sample.texts[column.name]
    if column.kind == "category":
        return _compare_categories(column.name, left, right)
    return _compare_numbers(column, left, right)


def _compare_categories(name: str, left: Sequence[Text], right: Sequence[Text]) -> dict[str, Any]:
    # Chosen by the original's counts alone: a value that only the sample has shows nothing of how alike they are.
    counts, sample_counts = Counter(left), Counter(right)
    # A name that fewer than K rows have must not appear on the page.
    shown = [value for value, count in counts.most_common(_NUM_BARS) if count >= K]
    sides = ((counts, left), (sample_counts, right))
    return {
        "name": name,
        "of": "rows",
        "labels": ["(none)" if value is None else value for value in shown],
        "original": [counts[value] / len(left) for value in shown],
        "sample": [sample_counts[value] / len(right) for value in shown],
        "rest": [1 - sum(counted[value] for value in shown) / len(texts) for counted, texts in sides],
    }


def _compare_numbers(column: Column, left: Sequence[Text], right: Sequence[Text]) -> dict[str, Any]:
    sides = [_amounts(column, texts) for texts in (left, right)]
    edges = _edges(sides[1], is_count=column.kind not in ("number", "date"))
    # Rows outside the edges count in the first or last bar, so that none is lost.
    counts = [np.histogram(np.clip(side, edges[0], edges[-1]), edges)[0] for side in sides]
    return {
        "name": column.name,
        "of": {"number": "values", "date": "days"}.get(column.kind, "length in characters"),
        "labels": [_label(column, low) for low in edges[:-1]],
        # A bar without rows speaks of nobody; one with a few does.
        "original": [None if 0 < n < K else n / len(left) for n in counts[0].tolist()],
        "sample": [n / len(right) for n in counts[1].tolist()],
        "rest": [1 - len(side) / len(texts) for side, texts in zip(sides, (left, right), strict=True)],
    }


def _amounts(column: Column, texts: Sequence[Text]) -> Floats:
    """Return numbers and dates as they are, and the lengths of other texts, without gaps."""
    if column.kind in ("number", "date"):
        found = [value for text in texts if (value := column.read(text)) is not None]
    else:
        found = [float(len(without_host(column, text))) for text in texts if text]
    return np.array(found, np.float64)


def _edges(sample: Floats, *, is_count: bool) -> Floats:
    """Return the edges of the bars, evenly spaced, or in the logarithm where values span more than a decade."""
    # From the sample alone: the original's extremes would give away single rows.
    if not len(sample):
        return np.array([0.0, 1.0])
    low, high = (float(edge) for edge in np.quantile(sample, (0.01, 0.99)))
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    if low > 0 and high > 10 * low and not is_count:
        return np.geomspace(low, high, _NUM_BARS + 1)
    # Lengths are whole: more bars than lengths would leave every other bar empty.
    return np.linspace(low, high, min(_NUM_BARS, math.ceil(high - low) if is_count else _NUM_BARS) + 1)


def _label(column: Column, value: float) -> str:
    if column.date is not None:
        return column.date.write(value)
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
