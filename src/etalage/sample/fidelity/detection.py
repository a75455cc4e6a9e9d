"""Detection of a sample: how well a classifier distinguishes its rows from the original's."""

import warnings
from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from etalage.sample.fidelity.similarity import Floats, without_host
from etalage.sample.mimic.original import Column, Original

__all__ = ["NUM_FOLDS", "detection_auc"]

NUM_FOLDS = 3
_MAX_CATEGORIES = 30
"""The most frequent categories of a column, which the classifiers see one by one."""


def detection_auc(columns: Sequence[Column], one: Original, other: Original, seed: int) -> dict[str, float]:
    """Train two classifiers to distinguish the rows of two tables.

    Args:
        columns: The columns of both tables.
        one: A table with these columns, of at least 2 * NUM_FOLDS rows.
        other: Another table with these columns, of at least 2 * NUM_FOLDS rows.
        seed: Seed of the folds and of the classifiers.

    Returns:
        By classifier (logistic, boosting) the mean area under the ROC curve over folds: 0.5 if it cannot distinguish
        them at all, 1 if it always can.

    Source: SDMetrics, LogisticDetection.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import RobustScaler
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # Both sides by the features of the first, so that a category that only one side has cannot add a column.
    features = np.concatenate([_features(columns, one, one), _features(columns, other, one)])
    labels = np.repeat([1, 0], [len(one), len(other)])
    models: dict[str, Any] = {
        # The steps of SDMetrics' own detector, so that the figures can be compared; trees find what it does not.
        "logistic": make_pipeline(SimpleImputer(), RobustScaler(), LogisticRegression(max_iter=2000)),
        "boosting": HistGradientBoostingClassifier(random_state=seed, early_stopping=False),
    }
    found = {}
    for name, model in models.items():
        areas = []
        for train, test in StratifiedKFold(NUM_FOLDS, shuffle=True, random_state=seed).split(features, labels):
            # On so little data threads would only wait for one another.
            with threadpool_limits(1), warnings.catch_warnings():
                # Scikit-learn warns of empty columns, and of a solver that stops before it has converged.
                warnings.simplefilter("ignore")
                model.fit(features[train], labels[train])
                # A classifier that is wrong more often than right has found nothing either.
                areas.append(max(0.5, roc_auc_score(labels[test], model.predict_proba(features[test])[:, 1])))
        found[name] = float(fmean(areas))
    return found


def _features(columns: Sequence[Column], side: Original, known: Original) -> Floats:
    """Return (N, F) float64: numbers, one-hot categories, and the appearance of texts.

    Args:
        columns: The columns of both tables.
        side: The table to describe.
        known: The table whose frequent categories and empty cells decide on the features.
    """
    found: list[Floats] = []
    for column in columns:
        texts = side.texts[column.name]
        if column.kind in ("empty", "picture", "constant"):
            continue
        if column.kind == "category":
            names = [name for name, _ in Counter(known.texts[column.name]).most_common(_MAX_CATEGORIES)]
            found += [np.array([text == name for text in texts], np.float64) for name in names]
            continue
        # Gaps are a feature of their own, since imputing the mean would hide them.
        if None in known.texts[column.name]:
            found.append(np.array([text is None for text in texts], np.float64))
        if column.kind in ("number", "date"):
            found.append(column.numbers(texts))
        else:
            appearances = [_appearance(without_host(column, text or "")) for text in texts]
            found += list(np.array(appearances, np.float64).T)
    return np.column_stack(found)


def _appearance(text: str) -> tuple[float, ...]:
    """Return the number of characters and words, and the shares of digits, capitals and signs."""
    size = len(text) or 1
    kinds = (str.isdecimal, str.isupper, lambda c: not (c.isalnum() or c == " "))
    return (len(text), len(text.split()), *(sum(map(kind, text)) / size for kind in kinds))
