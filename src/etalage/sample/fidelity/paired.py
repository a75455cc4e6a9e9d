"""What the fidelity page shows: original and sample side by side, and nothing that fewer than K rows have."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.original import LINK, Column, Original, Text
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["on_page", "paired_bars"]

_NUM_BARS = 12


def paired_bars(column: Column, original: Original, sample: Original) -> dict[str, Any] | None:
    """Shares of the rows in each bar; None for columns with nothing to show.

    Returns:
        name, of (what is counted), labels (of the bars), original and sample: shares by bar, of the original None where
        it has rows there, but fewer than K; rest: share of the rows that no bar stands for, of both.
    """
    if column.kind in ("empty", "picture", "constant"):
        return None
    left, right = original.texts[column.name], sample.texts[column.name]
    if column.kind == "category":
        return _categories(column.name, left, right)
    return _numbers(column, left, right)


def _categories(name: str, left: Sequence[Text], right: Sequence[Text]) -> dict[str, Any]:
    counts, made = Counter(left), Counter(right)
    shown = [value for value, count in counts.most_common(_NUM_BARS) if count >= K]
    return {
        "name": name,
        "of": "rows",
        "labels": ["(none)" if value is None else value for value in shown],
        "original": [counts[value] / len(left) for value in shown],
        "sample": [made[value] / len(right) for value in shown],
        "rest": [1 - sum(c[value] for value in shown) / len(t) for c, t in ((counts, left), (made, right))],
    }


def _numbers(column: Column, left: Sequence[Text], right: Sequence[Text]) -> dict[str, Any]:
    sides = [_amounts(column, texts) for texts in (left, right)]
    edges = _edges(sides[1], is_count=column.kind not in ("number", "date"))
    counts = [np.histogram(np.clip(side, edges[0], edges[-1]), edges)[0] for side in sides]
    return {
        "name": column.name,
        "of": {"number": "values", "date": "days"}.get(column.kind, "length in characters"),
        "labels": [_label(column, low) for low in edges[:-1]],
        "original": [None if 0 < n < K else n / len(left) for n in counts[0].tolist()],
        "sample": [n / len(right) for n in counts[1].tolist()],
        "rest": [1 - len(side) / len(texts) for side, texts in zip(sides, (left, right), strict=True)],
    }


def _amounts(column: Column, texts: Sequence[Text]) -> NDArray[np.float64]:
    """Numbers and dates as they are, of other texts how long they are; without gaps."""
    if column.kind in ("number", "date"):
        found = [value for text in texts if (value := column.read(text)) is not None]
    else:
        found = [float(len(LINK.sub("", text, count=1) if column.kind == "link" else text)) for text in texts if text]
    return np.array(found, np.float64)


def _edges(made: NDArray[np.float64], *, is_count: bool) -> NDArray[np.float64]:
    """Of bars, from the sample alone: evenly wide, or so in the logarithm where values span more than a decade."""
    if not len(made):
        return np.array([0.0, 1.0])
    low, high = (float(edge) for edge in np.quantile(made, (0.01, 0.99)))
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    if low > 0 and high > 10 * low and not is_count:
        return np.geomspace(low, high, _NUM_BARS + 1)
    return np.linspace(low, high, min(_NUM_BARS, math.ceil(high - low) if is_count else _NUM_BARS) + 1)


def _label(column: Column, value: float) -> str:
    return column.date.write(value) if column.date is not None else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


# The page


_WIDTH, _HEIGHT = 260.0, 80.0
"""Of a chart's viewBox, without its base line."""

_PRIVACY = {
    "rows_copied": "rows that are in the original",
    "titles_copied": "titles that are in the original",
    "codes_copied": "codes that are in the original",
    "closer_to_training": "share closer to what was learned than to held-out rows",
    "distance_ratio": "ratio of these distances, 5th percentile",
    "closer_to_training_by_rows": "the same share, held-out groups against single rows of what was learned",
    "distance_ratio_by_rows": "ratio of these distances",
    "num_suppressed": "combinations too rare to be learned",
}


def on_page(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What the template speaks of.

    Args:
        figures: As from `fidelity.measure`.
    """
    privacy, floors, goals = figures["privacy"], figures["floors"], figures["goals"]
    fidelity, area = figures["column_fidelity"], figures["detection_auc"]
    closer = privacy.get("closer_to_training")
    headline = [
        ("column fidelity", fidelity, f"at least {goals['column_fidelity']}", floors["column_fidelity"]),
        ("detection", area, f"at most {goals['detection_auc']}", floors["detection_auc"]),
        ("closer to what was learned", closer, "0.5 is perfect", floors["privacy"].get("closer_to_training")),
    ]
    missed = (fidelity < goals["column_fidelity"], area > goals["detection_auc"], False)
    return {
        "num_original": figures["num_original"],
        "num_sample": figures["num_sample"],
        "num_holdout": figures["num_holdout"],
        "num_copied": max(privacy.get(name, 0) for name in ("rows_copied", "titles_copied", "codes_copied")),
        "k": K,
        "headline": [
            {"label": label, "value": value, "wanted": wanted, "floor": floor, "missed": is_missed}
            for (label, value, wanted, floor), is_missed in zip(headline, missed, strict=True)
        ],
        "columns": figures["columns"],
        "charts": [{**chart, "bars": list(_bars(chart))} for chart in figures["charts"]],
        "together": [
            (label, value, floor)
            for label, value, floor in (
                ("detection by logistic regression", figures["detection"]["logistic"], floors["detection"]["logistic"]),
                ("detection by gradient boosting", figures["detection"]["boosting"], floors["detection"]["boosting"]),
                ("correlations alike", figures["correlation_similarity"], floors["correlation_similarity"]),
                ("tables of categories alike", figures["contingency_similarity"], floors["contingency_similarity"]),
            )
            if value is not None
        ],
        "private": [
            (label, privacy[name], floors["privacy"].get(name)) for name, label in _PRIVACY.items() if name in privacy
        ],
        "percent_of": percent_of,
    }


def _bars(chart: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Two bars for each label, in coordinates of the viewBox; none where the original's share is not told."""
    most = max([0.01, *(share for of in ("original", "sample") for share in chart[of] if share is not None)])
    step = _WIDTH / max(1, len(chart["labels"]))
    for number, label in enumerate(chart["labels"]):
        for place, of in enumerate(("original", "sample")):
            share = chart[of][number]
            if share is not None:
                height = round(_HEIGHT * share / most, 1)
                yield {
                    "of": of,
                    "label": label,
                    "share": share,
                    "x": round(step * (number + 0.08 + 0.42 * place), 1),
                    "y": round(_HEIGHT + 3 - height, 1),
                    "width": round(0.4 * step, 1),
                    "height": height,
                }


def percent_of(share: float | None) -> str:
    """In percent, of 1."""
    return f"fewer than {K} rows" if share is None else f"{100 * share:.1f} %"
