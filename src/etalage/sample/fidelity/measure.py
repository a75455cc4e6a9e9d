"""Comparison of a sample with its original: the contents of fidelity.json.

A sample is compared with the rows that were learned from (train and validation). Each figure comes with its floor: the
same figure for one half of these rows against the other, copies and variants kept together. The floor separates noise
from misfit.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from etalage.errors import EtalageError
from etalage.sample.fidelity.detection import NUM_FOLDS, detection_auc
from etalage.sample.fidelity.privacy import closest_records, count_copies
from etalage.sample.fidelity.shares import compare_shares
from etalage.sample.fidelity.similarity import column_fidelity, pair_similarity
from etalage.sample.mimic.original import Column, Original, Text, read_original

__all__ = ["GOALS", "measure_fidelity"]

GOALS = {"column_fidelity": 0.92, "detection_auc": 0.65}
"""At least this mean over columns; at most this area under the ROC curve."""

_MAX_ROWS = 20_000


def measure_fidelity(
    original_folder: Path, sample: Mapping[str, Sequence[Text]], *, seed: int, num_suppressed: int
) -> dict[str, Any]:
    """Compare a sample with the prepared catalogue that it was learned from.

    Args:
        original_folder: The catalogue folder.
        sample: The sample's table by column, each cell as it is written, None where it is empty.
        seed: Seed of the rows and folds that are compared.
        num_suppressed: The combinations that were too rare to be learned, from the sample's manifest; repeated in the
            result.

    Returns:
        The contents of fidelity.json.

    Raises:
        EtalageError: The folder is no prepared catalogue, or the sample lacks a column or has fewer than six rows.
    """
    everything = read_original(original_folder)
    known = everything.in_splits(("train", "validation")).subsample(_MAX_ROWS, seed)
    columns = known.columns
    whole_sample = _as_original(everything, sample)
    compared = whole_sample.subsample(_MAX_ROWS, seed)
    # Copies and variants on both sides would make the halves look more alike than two samples of one source are.
    first_half, second_half = _halves(known, seed)
    figures = _figures(columns, known, compared, seed)
    floors = _figures(columns, first_half, second_half, seed)
    for name, column in figures["columns"].items():
        column["floor"] = floors["columns"][name]["score"]
    holdout = everything.in_splits(["test"])
    # All rows, not the subsample: a single copied row is one too many.
    privacy: dict[str, Any] = {**count_copies(everything, whole_sample), "num_suppressed": num_suppressed}
    privacy_floors: dict[str, Any] = {}
    if len(holdout):
        privacy |= closest_records(columns, compared, known, holdout, seed)
        privacy_floors = closest_records(columns, second_half, first_half, holdout, seed)
    return {
        "version": 1,
        "seed": seed,
        "num_original": len(known),
        "num_holdout": len(holdout),
        "num_sample": len(whole_sample),
        "goals": GOALS,
        **figures,
        "privacy": privacy,
        "floors": {**{name: value for name, value in floors.items() if name != "columns"}, "privacy": privacy_floors},
        "charts": [shares for column in columns if (shares := compare_shares(column, known, compared)) is not None],
    }


def _as_original(everything: Original, sample: Mapping[str, Sequence[Text]]) -> Original:
    """Return the sample as a table with the original's columns; the column of pictures may be missing."""
    image = everything.roles.get("image")
    if missing := [name for name in everything.texts if name not in sample and name != image]:
        raise EtalageError(f"the sample has no column {missing[0]!r}, which its original has; make the sample again")
    num_rows, min_rows = len(next(iter(sample.values()))), 2 * NUM_FOLDS
    if num_rows < min_rows:
        raise EtalageError(f"the sample has {num_rows} rows, too few to be compared; make {min_rows} or more")
    texts: dict[str, Sequence[Text]] = {name: sample.get(name, [None] * num_rows) for name in everything.texts}
    # As the original was cleaned when it was read: one line, and None for what holds nothing.
    texts = {
        name: [" ".join(text.split()) or None if text else None for text in cells] for name, cells in texts.items()
    }
    # Splits, groups and pictures belong to prepared catalogues only; no figure asks a sample for them.
    unknown = [""] * num_rows
    return Original(everything.folder, everything.roles, texts, unknown, unknown, unknown, [False] * num_rows)


def _halves(known: Original, seed: int) -> tuple[Original, Original]:
    """Return two halves of nearly equal size that have no group in common."""
    groups = sorted(set(known.groups))
    random.Random(seed).shuffle(groups)
    sizes = Counter(known.groups)
    counts, in_first = {True: 0, False: 0}, {}
    # The largest groups first, each into the half with fewer rows: the halves then end up nearly equal.
    for group in sorted(groups, key=lambda group: -sizes[group]):
        in_first[group] = counts[True] <= counts[False]
        counts[in_first[group]] += sizes[group]
    halves = [[row for row, group in enumerate(known.groups) if in_first[group] is side] for side in (True, False)]
    return known.select(halves[0]), known.select(halves[1])


def _figures(columns: Sequence[Column], one: Original, other: Original, seed: int) -> dict[str, Any]:
    scores = {c.name: column_fidelity(c, one, other) for c in columns if c.kind not in ("empty", "picture", "constant")}
    detection = detection_auc(columns, one, other, seed)
    return {
        "column_fidelity": fmean(column["score"] for column in scores.values()),
        "columns": scores,
        "correlation_similarity": pair_similarity(columns, one, other, numeric=True),
        "contingency_similarity": pair_similarity(columns, one, other, numeric=False),
        "detection": detection,
        "detection_auc": max(detection.values()),
    }
