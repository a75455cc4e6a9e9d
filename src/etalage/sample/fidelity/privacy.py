"""Privacy of a sample: copies of the original's rows, and rows too close to what was learned."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from etalage.sample.fidelity.similarity import Floats
from etalage.sample.mimic.original import Column, Original, Text

__all__ = ["closest_records", "count_copies"]

_Draw = Callable[[Original, int, np.random.Generator], Original]
"""A function that draws a number of rows."""

_NUM_DRAWS = 5
_MAX_ROWS = 2_000
"""The rows of the sample that are compared. Each is compared with as many rows of the original as the test split has,
at most as many as these."""


def count_copies(original: Original, sample: Original) -> dict[str, int]:
    """Count the rows, titles and codes of a sample that are in the original.

    Args:
        original: All rows of the original.
        sample: All rows of the sample.

    Returns:
        rows_copied (all columns but the picture), titles_copied and, if the original has codes, codes_copied.
    """
    image, code = original.roles.get("image"), original.roles.get("product_code")
    names = [name for name in original.texts if name != image]
    known = set(zip(*(original.texts[name] for name in names), strict=True))
    found = {
        "rows_copied": sum(row in known for row in zip(*(sample.texts[name] for name in names), strict=True)),
        "titles_copied": _num_shared(original.texts[original.roles["title"]], sample.texts[original.roles["title"]]),
    }
    return found | ({"codes_copied": _num_shared(original.texts[code], sample.texts[code])} if code else {})


def _num_shared(original: Sequence[Text], sample: Sequence[Text]) -> int:
    # A title in capitals is still the same title.
    known = {text.casefold() for text in original if text is not None}
    return sum(text is not None and text.casefold() in known for text in sample)


def closest_records(
    columns: Sequence[Column], sample: Original, training: Original, holdout: Original, seed: int
) -> dict[str, float]:
    """Compare the distances to the closest training row and to the closest of as many held-out rows.

    Distances are the mean over columns of: for numbers their difference as a share of the range, for categories 1 where
    they differ, for texts 1 minus the Jaccard similarity of their groups of three characters.

    Args:
        columns: The columns of all three tables.
        sample: The sample's rows.
        training: The rows that were learned from.
        holdout: Rows that nothing was learned from.
        seed: Seed of the rows that are drawn from training and holdout.

    Returns:
        closer_to_training: the share of sample rows whose closest row is in training, ties counting half; 0.5 is
        perfect. distance_ratio: the 5th percentile of the distances to training divided by that to the holdout; 1 is
        perfect, and below it the sample stays too close to what was learned. For both, whole groups are drawn from
        training, because the holdout consists of whole groups. For `..._by_rows` single rows are drawn, which lie in
        more groups than the holdout has and are therefore closer to anything.

    Source: Gower 1971, A general coefficient of similarity; Platzer and Reutterer 2021, Holdout-based empirical
        assessment of mixed-type synthetic data.
    """
    found: dict[str, float] = {}
    draws: dict[str, _Draw] = {"": _draw_groups, "_by_rows": _draw_rows}
    for suffix, draw in draws.items():
        share, ratio = _compare_distances(columns, sample, training, holdout, draw, np.random.default_rng(seed))
        found |= {f"closer_to_training{suffix}": share, f"distance_ratio{suffix}": ratio}
    return found


def _compare_distances(
    columns: Sequence[Column],
    sample: Original,
    training: Original,
    holdout: Original,
    draw: _Draw,
    rng: np.random.Generator,
) -> tuple[float, float]:
    # Codes and links are invented for each row: they are never close to anything.
    compared = [column for column in columns if column.kind not in ("empty", "picture", "constant", "code", "link")]
    num_rows = min(len(training), len(holdout), _MAX_ROWS)
    sample = sample.subsample(_MAX_ROWS, 0)
    shares, near, far = [], [], []
    for _ in range(_NUM_DRAWS):
        drawn = [draw(side, num_rows, rng) for side in (training, holdout)]
        to_training, to_holdout = (_closest_distances(compared, sample, side, training) for side in drawn)
        # Sums over columns differ in the last digits, so equal distances are recognized with some slack.
        is_tied = np.isclose(to_training, to_holdout, atol=1e-9)
        shares.append(float(np.where(is_tied, 0.5, to_training < to_holdout).mean()))
        near.append(float(np.quantile(to_training, 0.05)))
        far.append(float(np.quantile(to_holdout, 0.05)))
    return float(np.mean(shares)), float(np.mean(near) / np.mean(far)) if np.mean(far) > 0 else 1.0


def _draw_rows(side: Original, num_rows: int, rng: np.random.Generator) -> Original:
    return side.select(sorted(rng.permutation(len(side))[:num_rows].tolist()))


def _draw_groups(side: Original, num_rows: int, rng: np.random.Generator) -> Original:
    """Draw rows group by group, so that copies and variants are as frequent on one side as on the other."""
    groups = sorted(set(side.groups))
    rank = dict(zip(groups, rng.permutation(len(groups)).tolist(), strict=True))
    return side.select(sorted(range(len(side)), key=lambda row: rank[side.groups[row]])[:num_rows])


def _closest_distances(columns: Sequence[Column], sample: Original, records: Original, training: Original) -> Floats:
    """Return (N,) float64, the distance of each sample row to the closest record.

    Args:
        columns: The columns to compare.
        sample: N rows.
        records: The rows to compare with.
        training: The rows that give numbers their range.
    """
    total = np.zeros((len(sample), len(records)))
    for column in columns:
        one, other = sample.texts[column.name], records.texts[column.name]
        if column.kind in ("number", "date"):
            total += _number_distances(*(column.numbers(texts) for texts in (one, other, training.texts[column.name])))
        elif column.kind == "category":
            # Whole numbers, because numpy compares arrays of objects one by one.
            codes = {name: number for number, name in enumerate({*one, *other})}
            total += np.array([codes[t] for t in one])[:, None] != np.array([codes[t] for t in other])[None]
        else:
            total += _text_distances([text or "" for text in one], [text or "" for text in other])
    closest: Floats = (total / len(columns)).min(axis=1)
    return closest


def _number_distances(one: Floats, other: Floats, known: Floats) -> Floats:
    """Return (N, M) float64 as shares of the range.

    A missing number is at the largest distance from any number, and at none from another missing one.
    """
    given = known[~np.isnan(known)]
    # The range of what was learned on both sides of a comparison, so that distances to it and to the holdout are on one
    # scale.
    value_range = float(np.ptp(given)) if len(given) else 0.0
    distances = np.minimum(np.abs(one[:, None] - other[None]) / (value_range or 1.0), 1.0)
    both_missing, any_missing = np.isnan(one)[:, None] & np.isnan(other), np.isnan(distances)
    filled: Floats = np.where(both_missing, 0.0, np.where(any_missing, 1.0, distances))
    return filled


def _text_distances(one: Sequence[str], other: Sequence[str]) -> Floats:
    """Return (N, M) float64, 1 minus the Jaccard similarity of groups of three characters."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer: Any = CountVectorizer(analyzer="char_wb", ngram_range=(3, 3), binary=True, dtype=np.float32)
    # The extra text keeps the vocabulary from being empty, which scikit-learn refuses.
    counts = vectorizer.fit_transform([*one, *other, "abc"])
    left, right = counts[: len(one)], counts[len(one) : -1]
    shared = (left @ right.T).toarray()
    either = np.asarray(left.sum(axis=1)) + np.asarray(right.sum(axis=1)).T - shared
    # Two texts without any group of three count as equal.
    distances: Floats = 1 - np.divide(shared, either, out=np.ones_like(shared), where=either > 0)
    return distances
