"""Whether a sample gives rows of its original away: copies, and rows too near to what was learned."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.original import Column, Original, Text

__all__ = ["closeness", "copies"]

_Random = np.random.Generator
_Draw = Callable[[Original, int, _Random], Original]

_NUM_DRAWS = 5
_MOST_ROWS = 2_000
"""Of the sample; each is compared with as many rows of the original as the test split has, at most as many as these."""


def copies(original: Original, sample: Original) -> dict[str, int]:
    """How many rows of the sample are in the original: whole (but for pictures), by title, by code."""
    image, code = original.roles.get("image"), original.roles.get("product_code")
    names = [name for name in original.texts if name != image]
    known = set(zip(*(original.texts[name] for name in names), strict=True))
    found = {
        "rows_copied": sum(row in known for row in zip(*(sample.texts[name] for name in names), strict=True)),
        "titles_copied": _num_shared(original.texts[original.roles["title"]], sample.texts[original.roles["title"]]),
    }
    return found | ({"codes_copied": _num_shared(original.texts[code], sample.texts[code])} if code else {})


def _num_shared(one: Sequence[Text], other: Sequence[Text]) -> int:
    known = {text.casefold() for text in one if text is not None}
    return sum(text is not None and text.casefold() in known for text in other)


def closeness(
    columns: Sequence[Column], sample: Original, training: Original, holdout: Original, seed: int
) -> dict[str, float]:
    """Distances to the closest record, in training and in as many held-out rows that nothing was learned from.

    Distances are Gower's (1971, A general coefficient of similarity): the mean over columns of the numbers' difference
    as a share of their range, of 1 where categories differ, and of 1 minus the Jaccard similarity of the texts' groups
    of three characters. The comparison is the holdout-based one of Platzer and Reutterer (2021, Holdout-based empirical
    assessment of mixed-type synthetic data).

    Returns:
        closer_to_training: The share of sample rows whose closest record is in training; ties count half. 0.5 is
            perfect. distance_ratio: the 5th percentile of the distances to training by that to the holdout; 1 is
            perfect, below it the sample keeps too close to what was learned. Both with whole groups drawn from
            training, as the holdout is made of whole groups; `..._by_rows` with single rows, which lie in more groups
            than the holdout has and so are nearer to anything.
    """
    found: dict[str, float] = {}
    for suffix, draw in (("", _whole_groups), ("_by_rows", _single_rows)):
        share, ratio = _closeness(columns, sample, training, holdout, draw, np.random.default_rng(seed))
        found |= {f"closer_to_training{suffix}": share, f"distance_ratio{suffix}": ratio}
    return found


def _closeness(
    columns: Sequence[Column], sample: Original, training: Original, holdout: Original, draw: _Draw, random: _Random
) -> tuple[float, float]:
    compared = [column for column in columns if column.kind not in ("empty", "picture", "constant", "code", "link")]
    size = min(len(training), len(holdout), _MOST_ROWS)
    some = sample.subsample(_MOST_ROWS, 0)
    shares, near, far = [], [], []
    for _ in range(_NUM_DRAWS):
        chosen = [draw(side, size, random) for side in (training, holdout)]
        to_training, to_holdout = (_nearest(compared, some, side, training) for side in chosen)
        tied = np.isclose(to_training, to_holdout, atol=1e-9)
        shares.append(float(np.where(tied, 0.5, to_training < to_holdout).mean()))
        near.append(float(np.quantile(to_training, 0.05)))
        far.append(float(np.quantile(to_holdout, 0.05)))
    return float(np.mean(shares)), float(np.mean(near) / np.mean(far)) if np.mean(far) > 0 else 1.0


def _single_rows(side: Original, size: int, random: _Random) -> Original:
    return side.select(sorted(random.permutation(len(side))[:size].tolist()))


def _whole_groups(side: Original, size: int, random: _Random) -> Original:
    """So many rows, group by group: copies and variants fill one side as they fill the other."""
    groups = sorted(set(side.groups))
    place = dict(zip(groups, random.permutation(len(groups)).tolist(), strict=True))
    return side.select(sorted(range(len(side)), key=lambda row: place[side.groups[row]])[:size])


def _nearest(columns: Sequence[Column], sample: Original, records: Original, training: Original) -> NDArray[np.float64]:
    """(N,) float64: of each sample row, the distance to the closest record."""
    total = np.zeros((len(sample), len(records)))
    for column in columns:
        one, other = sample.texts[column.name], records.texts[column.name]
        if column.kind in ("number", "date"):
            total += _apart(*(column.numbers(texts) for texts in (one, other, training.texts[column.name])))
        elif column.kind == "category":
            names = {name: number for number, name in enumerate({*one, *other})}
            total += np.array([names[t] for t in one])[:, None] != np.array([names[t] for t in other])[None]
        else:
            total += _unlike([text or "" for text in one], [text or "" for text in other])
    nearest: NDArray[np.float64] = (total / len(columns)).min(axis=1)
    return nearest


def _apart(one: NDArray[np.float64], other: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, M) float64 in units of the range; a missing number is as far as can be from any other, not from another."""
    given = known[~np.isnan(known)]
    reach = float(np.ptp(given)) if len(given) else 0.0
    apart = np.minimum(np.abs(one[:, None] - other[None]) / (reach or 1.0), 1.0)
    both, any_missing = np.isnan(one)[:, None] & np.isnan(other), np.isnan(apart)
    filled: NDArray[np.float64] = np.where(both, 0.0, np.where(any_missing, 1.0, apart))
    return filled


def _unlike(one: Sequence[str], other: Sequence[str]) -> NDArray[np.float64]:
    """(N, M) float64."""
    from sklearn.feature_extraction.text import CountVectorizer

    threes: Any = CountVectorizer(analyzer="char_wb", ngram_range=(3, 3), binary=True, dtype=np.float32)
    known = threes.fit_transform([*one, *other, "abc"])
    left, right = known[: len(one)], known[len(one) : -1]
    shared = (left @ right.T).toarray()
    either = np.asarray(left.sum(axis=1)) + np.asarray(right.sum(axis=1)).T - shared
    unlike: NDArray[np.float64] = 1 - np.divide(shared, either, out=np.ones_like(shared), where=either > 0)
    return unlike
