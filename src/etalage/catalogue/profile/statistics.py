"""Statistics of a catalogue's columns: which rows to show, splits, groups and leaks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from etalage.catalogue.profile.table import Categories, Hashes, Integers
from etalage.config import Split

__all__ = [
    "GroupSizes",
    "Leakage",
    "SplitShares",
    "choose_rows",
    "contact_sheet",
    "group_sizes",
    "largest_groups",
    "leakage",
    "sampling_keys",
    "split_counts",
    "split_shares",
]

NUM_CATEGORIES, NUM_PICTURES = 24, 8
"""The categories on the contact sheet, and the pictures of each."""
NUM_UNCATEGORIZED = 48
"""The pictures on the contact sheet of a catalogue without categories."""
NUM_SHARES = 16
"""The categories whose share of each split is shown."""
NUM_GROUPS = 6
"""The largest groups that are shown."""


@dataclass(frozen=True)
class SplitShares:
    """The share that each category has of each split that holds products."""

    field: str
    splits: list[str]
    rows: list[tuple[str, list[float]]]
    """Category, and its share of each split in percent."""
    max_difference: float
    """The largest difference between two splits, in percentage points."""
    max_difference_category: str
    """The category that has it."""
    lacking: list[tuple[str, int]]
    """Splits, and how many categories they have no product of."""


@dataclass(frozen=True)
class GroupSizes:
    """The number of groups of some size, and of the products in them."""

    label: str
    num_groups: int
    num_products: int


@dataclass(frozen=True)
class Leakage:
    """The products held out of training that resemble a product in the training split."""

    num_held_out: int
    num_leaked: int
    """Those with a copy or variant in the training split."""
    num_same_picture: int
    """Those whose very picture file is in the training split."""


def sampling_keys(numbers: Integers) -> Hashes:
    """Return a key per row to choose rows by, unrelated to the row's place but the same each time.

    Args:
        numbers: (N,) integers, the number of each row in its source.

    Returns:
        (N,) uint64.

    Source: Steele et al. 2014, splitmix64.
    """
    # Arithmetic of uint64 arrays wraps around without a warning, as splitmix64 needs it.
    mixed = numbers.astype(np.uint64)
    mixed += np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def choose_rows(rows: NDArray[np.intp], keys: Hashes, pictures: Hashes, max_rows: int) -> list[int]:
    """Choose a few rows with different pictures: those with the smallest keys.

    Args:
        rows: Places of the rows to choose from.
        keys: What `sampling_keys` returned for the whole table.
        pictures: A hash of each row's picture, for the whole table.
        max_rows: The number of rows to choose, if there are as many.
    """
    # Sixteen times as many suffice to find enough different pictures, and are sorted faster than all.
    num_candidates = 16 * max_rows
    if len(rows) > num_candidates:
        rows = rows[np.argpartition(keys[rows], num_candidates)[:num_candidates]]
    rows = rows[np.argsort(keys[rows], kind="stable")]
    # `unique` sorts by picture; sorting the places of its finds restores the order of the keys.
    _, first = np.unique(pictures[rows], return_index=True)
    return [int(row) for row in rows[np.sort(first)[:max_rows]]]


def contact_sheet(categories: Categories | None, keys: Hashes, pictures: Hashes) -> list[tuple[str, int, list[int]]]:
    """Choose the rows of the contact sheet.

    Args:
        categories: The first category field; None if the task has none.
        keys: What `sampling_keys` returned.
        pictures: A hash of each row's picture.

    Returns:
        The most frequent categories, each with its number of products and the rows to show; or one nameless category.
    """
    if categories is None:
        return [("", len(keys), choose_rows(np.arange(len(keys)), keys, pictures, NUM_UNCATEGORIZED))]
    return [
        (
            categories.names[code],
            categories.counts[code],
            choose_rows(np.flatnonzero(categories.codes == code), keys, pictures, NUM_PICTURES),
        )
        for code in categories.by_count[:NUM_CATEGORIES]
    ]


def split_counts(counts: Mapping[str, int]) -> list[tuple[str, int, float]]:
    """Return each split that holds products with their number and their share in percent.

    Args:
        counts: The number of products by split.
    """
    total = sum(counts.values()) or 1
    # A table's own split column may name other splits, which are listed last.
    names = [*get_args(Split), *(name for name in counts if name not in get_args(Split))]
    return [(name, counts[name], 100 * counts[name] / total) for name in names if counts.get(name)]


def split_shares(field: str, categories: Categories, splits: Categories) -> SplitShares | None:
    """Compare how frequent each category is in each split.

    Args:
        field: The name of the category field.
        categories: The category of each row.
        splits: The split of each row.

    Returns:
        The shares; None if there is only one split or only one category.
    """
    present = [split for split in get_args(Split) if split in splits.names]
    num = len(categories.names)
    if len(present) < 2 or num < 2:
        return None
    codes, is_known = categories.codes, categories.codes >= 0
    counts = np.stack(
        [np.bincount(codes[is_known & (splits.codes == splits.names.index(s))], minlength=num) for s in present]
    )
    # A split may hold none of the categories that are counted.
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    differences = shares.max(axis=0) - shares.min(axis=0)
    widest = int(differences.argmax())
    top = categories.by_count[:NUM_SHARES]
    rows = [(categories.names[code], shares[:, code].tolist()) for code in top]
    if num_more := num - len(top):
        # Rounding may make the rest a little less than nothing.
        rows.append((f"{num_more:,} more", (100 - shares[:, top].sum(axis=1)).clip(0).tolist()))
    num_lacking = (counts == 0).sum(axis=1).tolist()
    return SplitShares(
        field=field,
        splits=present,
        rows=rows,
        max_difference=float(differences[widest]),
        max_difference_category=categories.names[widest],
        lacking=[(split, n) for split, n in zip(present, num_lacking, strict=True) if n],
    )


def group_sizes(groups: Hashes) -> list[GroupSizes]:
    """Count groups of copies and variants by their size.

    Args:
        groups: A hash of each row's group.
    """
    _, sizes = np.unique(groups, return_counts=True)
    found = []
    for label, smallest, largest in (("1", 1, 1), ("2", 2, 2), ("3 to 5", 3, 5), ("6 or more", 6, len(groups))):
        chosen = sizes[(sizes >= smallest) & (sizes <= largest)]
        found.append(GroupSizes(label, len(chosen), int(chosen.sum())))
    return found


def largest_groups(groups: Hashes, reasons: Categories, keys: Hashes, pictures: Hashes) -> list[tuple[str, list[int]]]:
    """Choose rows of the largest groups.

    Args:
        groups: A hash of each row's group.
        reasons: Why each row is in its group, reasons joined by commas.
        keys: What `sampling_keys` returned.
        pictures: A hash of each row's picture.

    Returns:
        The size of each group and the reasons for it in words, and the rows to show of it; groups of one are left out.
    """
    names, sizes = np.unique(groups, return_counts=True)
    found = []
    # Ties are broken by the hash, so that the same catalogue gives the same page.
    for index in np.lexsort((names, -sizes))[:NUM_GROUPS]:
        if sizes[index] > 1:
            rows = np.flatnonzero(groups == names[index])
            num = len(np.unique(pictures[rows]))
            codes = [int(code) for code in np.unique(reasons.codes[rows]) if code >= 0]
            # a row alone in its reasons has none, which is shown as a text in parentheses
            named = {word for code in codes for word in reasons.names[code].split(", ") if not word.startswith("(")}
            note = f"{sizes[index]:,} products, {num:,} picture{'s' if num > 1 else ''}"
            note += f", by {', '.join(sorted(named))}" if named else ""
            found.append((note, choose_rows(rows, keys, pictures, NUM_PICTURES)))
    return found


def leakage(splits: Categories, groups: Hashes, pictures: Hashes) -> Leakage:
    """Count the products held out of training whose group or picture is in the training split.

    They are counted and not assumed to be none, because a table may bring its own split.

    Args:
        splits: The split of each row.
        groups: A hash of each row's group.
        pictures: A hash of each row's picture.
    """
    train = splits.names.index("train") if "train" in splits.names else None
    is_held_out = np.ones(len(groups), bool) if train is None else splits.codes != train
    return Leakage(
        num_held_out=int(is_held_out.sum()),
        num_leaked=int(np.isin(groups[is_held_out], groups[~is_held_out]).sum()),
        num_same_picture=int(np.isin(pictures[is_held_out], pictures[~is_held_out]).sum()),
    )
