"""How like its original a sample is, and whether it keeps the original's secrets: sample/fidelity.json and .html.

Measured against the rows that were learned from (train and validation). Beside each figure stands its floor: the same
figure for one half of these rows against the other, families kept together, which tells noise from misfit.

Definitions are those of SDMetrics (docs.sdv.dev/sdmetrics: KSComplement, TVComplement, CorrelationSimilarity,
ContingencySimilarity, LogisticDetection), written here in a few lines each; a test holds them against that library.
"""

import json
import random
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etalage.atomic import atomic_write_text
from etalage.errors import EtalageError
from etalage.html.page import write_page
from etalage.sample.fidelity.paired import on_page, paired_bars
from etalage.sample.fidelity.privacy import closeness, copies
from etalage.sample.mimic.original import LINK, Column, Original, Text, read_original
from etalage.sample.mimic.words import shape_of

__all__ = [
    "GOALS",
    "contingency_similarity",
    "correlation_similarity",
    "ks_complement",
    "measure",
    "tv_complement",
    "write_fidelity",
]

GOALS = {"column_fidelity": 0.92, "detection_auc": 0.65}
"""At least this mean over columns; at most this area under the curve."""

_MOST_ROWS = 20_000
_MOST_CATEGORIES = 30
"""Of a column that are told apart by the detectors."""
_NUM_FOLDS = 3

Floats = NDArray[Any]
"""Of float64."""


def measure(
    original_folder: Path, sample: Mapping[str, Sequence[Text]], *, seed: int, num_suppressed: int
) -> dict[str, Any]:
    """Compare a sample with the prepared catalogue that it was learned from.

    Args:
        sample: The new table's columns, each cell as it is written, None where nothing is.
        num_suppressed: Cells that were too rare to be learned (in the mimic's manifest), to be told beside the rest.
    Returns:
        What fidelity.json holds.
    Raises:
        EtalageError: no prepared catalogue, or a sample without its columns, without rows or with fewer than six.
    """
    everything = read_original(original_folder)
    known = everything.in_splits(("train", "validation")).subsample(_MOST_ROWS, seed)
    columns = known.columns
    made = _as_original(everything, sample)
    some = made.subsample(_MOST_ROWS, seed)
    one, other = _halves(known, seed)
    figures = _figures(columns, known, some, seed)
    floors = _figures(columns, one, other, seed)
    for name, column in figures["columns"].items():
        column["floor"] = floors["columns"][name]["score"]
    holdout = everything.in_splits(["test"])
    privacy: dict[str, Any] = {**copies(everything, made), "num_suppressed": num_suppressed}
    private_floors: dict[str, Any] = {}
    if len(holdout):
        privacy |= closeness(columns, some, known, holdout, seed)
        private_floors = closeness(columns, other, one, holdout, seed)
    return {
        "version": 1,
        "seed": seed,
        "num_original": len(known),
        "num_holdout": len(holdout),
        "num_sample": len(made),
        "goals": GOALS,
        **figures,
        "privacy": privacy,
        "floors": {**{name: value for name, value in floors.items() if name != "columns"}, "privacy": private_floors},
        "charts": [bars for column in columns if (bars := paired_bars(column, known, some)) is not None],
    }


def write_fidelity(path_json: Path, path_html: Path, figures: Mapping[str, Any], *, title: str) -> None:
    """Write the figures, and the page that shows them: no script, no network, everything escaped.

    Args:
        figures: As from `measure`.
        title: Of the page.
    """
    atomic_write_text(path_json, json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write_page(path_html, "sample/fidelity/fidelity.html.jinja", title=title, **on_page(figures))


def _as_original(everything: Original, sample: Mapping[str, Sequence[Text]]) -> Original:
    """The sample in the original's columns; the picture's may be missing."""
    image = everything.roles.get("image")
    if missing := [name for name in everything.texts if name not in sample and name != image]:
        raise EtalageError(f"the sample has no column {missing[0]!r}, which its original has; make the sample again")
    rows = len(next(iter(sample.values())))
    if rows < 2 * _NUM_FOLDS:
        raise EtalageError(f"the sample has {rows} rows, too few to be compared; make {2 * _NUM_FOLDS} or more")
    texts: dict[str, Sequence[Text]] = {name: sample.get(name, [None] * rows) for name in everything.texts}
    texts = {
        name: [" ".join(text.split()) or None if text else None for text in cells] for name, cells in texts.items()
    }
    nothing = [""] * rows
    return Original(everything.folder, everything.roles, texts, nothing, nothing, nothing, [False] * rows)


def _halves(known: Original, seed: int) -> tuple[Original, Original]:
    """Two halves of equal size, or nearly, that have no group in common."""
    groups = sorted(set(known.groups))
    random.Random(seed).shuffle(groups)
    sizes = Counter(known.groups)
    counts, taken = {True: 0, False: 0}, {}
    for group in sorted(groups, key=lambda group: -sizes[group]):
        taken[group] = counts[True] <= counts[False]
        counts[taken[group]] += sizes[group]
    rows = [[row for row, group in enumerate(known.groups) if taken[group] is side] for side in (True, False)]
    return known.select(rows[0]), known.select(rows[1])


def _figures(columns: Sequence[Column], one: Original, other: Original, seed: int) -> dict[str, Any]:
    scores = {c.name: _column(c, one, other) for c in columns if c.kind not in ("empty", "picture", "constant")}
    detection = _detection(columns, one, other, seed)
    return {
        "column_fidelity": fmean(column["score"] for column in scores.values()),
        "columns": scores,
        "correlation_similarity": _pairs(columns, one, other, numeric=True),
        "contingency_similarity": _pairs(columns, one, other, numeric=False),
        "detection": detection,
        "detection_auc": max(detection.values()),
    }


# A column, two columns


def ks_complement(one: Floats, other: Floats) -> float:
    """1 minus the largest distance between two samples' cumulative shares (Kolmogorov-Smirnov)."""
    points = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(side), points, side="right") / len(side) for side in (one, other)]
    return 1.0 - float(np.abs(below[0] - below[1]).max())


def tv_complement(one: Sequence[Any], other: Sequence[Any]) -> float:
    """1 minus half the sum of the differences between shares (total variation)."""
    left, right = Counter(one), Counter(other)
    return 1 - sum(abs(left[value] / len(one) - right[value] / len(other)) for value in left | right) / 2


def correlation_similarity(one: Floats, other: Floats) -> float | None:
    """1 minus half the difference of Pearson's correlations; None where a number never varies.

    Args:
        one, other: (N, 2) float64 without NaN.
    """
    if min(len(one), len(other)) < 2 or min(one.std(axis=0).min(), other.std(axis=0).min()) == 0:
        return None
    return 1 - abs(float(np.corrcoef(one.T)[0, 1] - np.corrcoef(other.T)[0, 1])) / 2


def contingency_similarity(one: Sequence[tuple[Any, Any]], other: Sequence[tuple[Any, Any]]) -> float:
    """1 minus the total variation between two tables of shares."""
    return tv_complement(one, other)


def _column(column: Column, one: Original, other: Original) -> dict[str, Any]:
    """A column's score, which is the mean of its parts, or with gaps at most 1 minus the difference of their shares."""
    left, right = one.texts[column.name], other.texts[column.name]
    if column.kind == "category":
        parts = {"shares": tv_complement(left, right)}
    elif column.kind in ("number", "date"):
        parts = _given_parts(column, left, right, {"values": _values})
    else:
        parts = _given_parts(
            column, left, right, {"characters": _num_characters, "words": _num_words, "shapes": _shapes}
        )
    missing = [sum(text is None for text in texts) / len(texts) for texts in (left, right)]
    return {"kind": column.kind, "score": min(fmean(parts.values()), 1 - abs(missing[0] - missing[1])), "parts": parts}


def _given_parts(
    column: Column, left: Sequence[Text], right: Sequence[Text], parts: Mapping[str, Any]
) -> dict[str, float]:
    given = [[text for text in texts if text is not None] for texts in (left, right)]
    found = {}
    for name, of in parts.items():
        one, other = (of(column, texts) for texts in given)
        if not len(one) or not len(other):
            found[name] = float(len(one) == len(other))
        else:
            found[name] = tv_complement(one, other) if name == "shapes" else ks_complement(one, other)
    return found


def _values(column: Column, texts: Sequence[str]) -> Floats:
    return np.array([value for text in texts if (value := column.read(text)) is not None], np.float64)


def _said(column: Column, text: str) -> str:
    """What is compared of a text: of a link all but its machine, which in a sample is always the same one."""
    return LINK.sub("", text, count=1) if column.kind == "link" else text


def _num_characters(column: Column, texts: Sequence[str]) -> Floats:
    return np.array([len(_said(column, text)) for text in texts], np.float64)


def _num_words(column: Column, texts: Sequence[str]) -> Floats:
    return np.array([len(_said(column, text).split()) for text in texts], np.float64)


def _shapes(column: Column, texts: Sequence[str]) -> list[str]:
    return [shape_of(word) for text in texts for word in _said(column, text).split()]


def _pairs(columns: Sequence[Column], one: Original, other: Original, *, numeric: bool) -> float | None:
    """The mean over all pairs of columns of a kind; None without any."""
    kinds = ("number", "date") if numeric else ("category",)
    names = [column for column in columns if column.kind in kinds]
    sides = [[_cells(column, side, numeric) for column in names] for side in (one, other)]
    found: list[float | None] = []
    for first, second in combinations(range(len(names)), 2):
        if numeric:
            left, right = (np.column_stack([side[first], side[second]]) for side in sides)
            found.append(correlation_similarity(*(pairs[~np.isnan(pairs).any(axis=1)] for pairs in (left, right))))
        else:
            found.append(contingency_similarity(*(list(zip(s[first], s[second], strict=True)) for s in sides)))
    return fmean(given) if (given := [score for score in found if score is not None]) else None


def _cells(column: Column, side: Original, numeric: bool) -> Any:
    texts = side.texts[column.name]
    return column.numbers(texts) if numeric else texts


# All columns at once


def _detection(columns: Sequence[Column], one: Original, other: Original, seed: int) -> dict[str, float]:
    """How well two classifiers tell the two apart: the mean area under the ROC curve over folds; 0.5 is not at all."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import RobustScaler
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    features = np.concatenate([_features(columns, one, one), _features(columns, other, one)])
    labels = np.repeat([1, 0], [len(one), len(other)])
    models: dict[str, Any] = {
        "logistic": make_pipeline(SimpleImputer(), RobustScaler(), LogisticRegression(max_iter=2000)),
        "boosting": HistGradientBoostingClassifier(random_state=seed, early_stopping=False),
    }
    found = {}
    for name, model in models.items():
        areas = []
        for train, test in StratifiedKFold(_NUM_FOLDS, shuffle=True, random_state=seed).split(features, labels):
            with threadpool_limits(1), warnings.catch_warnings():  # small data: threads would wait for one another
                warnings.simplefilter("ignore")  # that a column is empty, or that the solver would like more steps
                model.fit(features[train], labels[train])
                areas.append(max(0.5, roc_auc_score(labels[test], model.predict_proba(features[test])[:, 1])))
        found[name] = float(fmean(areas))
    return found


def _features(columns: Sequence[Column], side: Original, known: Original) -> Floats:
    """(N, F) float64: numbers, one-hot categories, and of texts their lengths and kinds of characters."""
    found: list[Floats] = []
    for column in columns:
        texts = side.texts[column.name]
        if column.kind in ("empty", "picture", "constant"):
            continue
        if column.kind == "category":
            names = [name for name, _ in Counter(known.texts[column.name]).most_common(_MOST_CATEGORIES)]
            found += [np.array([text == name for text in texts], np.float64) for name in names]
            continue
        if None in known.texts[column.name]:
            found.append(np.array([text is None for text in texts], np.float64))
        if column.kind in ("number", "date"):
            found.append(column.numbers(texts))
        else:
            found += list(np.array([_look(_said(column, text or "")) for text in texts], np.float64).T)
    return np.column_stack(found)


def _look(text: str) -> tuple[float, ...]:
    """Characters, words, and the shares of digits, capitals and signs."""
    size = len(text) or 1
    kinds = (str.isdecimal, str.isupper, lambda c: not (c.isalnum() or c == " "))
    return (len(text), len(text.split()), *(sum(map(kind, text)) / size for kind in kinds))
