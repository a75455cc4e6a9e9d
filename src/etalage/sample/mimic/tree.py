"""The category tree: its columns, the path of each row, and the share of rows that each path gets."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from etalage.sample.mimic.category_path import CategoryPath
from etalage.sample.mimic.original import Original
from etalage.sample.mimic.suppressed_counts import K, Observation, SuppressedCounts

__all__ = ["OTHER", "Tree", "build_tree"]

OTHER = "OTHER"
"""The name of categories that are too rare to be named."""

_MIN_SHARE = 1e-4
"""Rarer combinations of categories are not made."""


@dataclass(frozen=True)
class Tree:
    """A catalogue's categories."""

    columns: tuple[str, ...]
    """From the widest to the narrowest."""
    picture_level: int
    """The level that a picture has to show: that of the category column."""
    paths: tuple[CategoryPath, ...]
    """The path of each row, with rare names replaced."""
    shares: Mapping[CategoryPath, float]
    """The share of each path among the rows to make; they sum to 1."""
    num_suppressed: int
    """Names and combinations that were too rare to be kept."""


def build_tree(original: Original) -> Tree:
    """Build the tree from the category column and the columns whose names differ from its own only in a number."""
    category = original.roles["category"]
    # Levels are columns such as category1_code, category2_code: one name but for the number.
    pattern = re.sub(r"\d+", "#", category)
    columns = tuple(
        column.name
        for column in original.columns
        if column.kind == "category" and re.sub(r"\d+", "#", column.name) == pattern
    )
    raw = list(zip(*([text or "" for text in original.texts[name]] for name in columns), strict=True))
    paths, num_renamed = _rename_rare(raw)
    levels = [_count_names(paths, level) for level in range(len(columns))]
    shares = {path: share for path, share in _paths_below((), levels) if share >= _MIN_SHARE}
    total = sum(shares.values())
    num_suppressed = num_renamed + sum(level.num_suppressed for level in levels)
    # The order decides the layout of all rows, so ties are broken by the path.
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return Tree(
        columns, columns.index(category), tuple(paths), {path: share / total for path, share in ranked}, num_suppressed
    )


def _rename_rare(paths: Sequence[CategoryPath]) -> tuple[list[CategoryPath], int]:
    """Rename what fewer than K rows have to its most frequent sibling, or OTHER; return how many names that were."""
    num_renamed = 0
    # From the top, because siblings are those under names that may have been replaced before.
    for level in range(len(paths[0])):
        counts = Counter(path[level] for path in paths)
        frequent = {name for name, count in counts.items() if count >= K}
        siblings: dict[CategoryPath, Counter[str]] = {}
        for path in paths:
            if path[level] in frequent:
                siblings.setdefault(path[:level], Counter())[path[level]] += 1
        num_renamed += len(counts) - len(frequent)
        renamed = [path if path[level] in frequent else _with_sibling(path, level, siblings) for path in paths]
        # Even as OTHER so few rows would stand out.
        if 0 < sum(path[level] == OTHER for path in renamed) < K and frequent:
            largest = counts.most_common(1)[0][0]
            renamed = [(*p[:level], largest, *p[level + 1 :]) if p[level] == OTHER else p for p in renamed]
        paths = renamed
    return list(paths), num_renamed


def _with_sibling(path: CategoryPath, level: int, siblings: Mapping[CategoryPath, Counter[str]]) -> CategoryPath:
    found = siblings.get(path[:level])
    name = found.most_common(1)[0][0] if found else OTHER
    return (*path[:level], name, *path[level + 1 :])


def _count_names(paths: Sequence[CategoryPath], level: int) -> SuppressedCounts[str]:
    """Count the names of a level, by what precedes them in the path."""
    observations: list[Observation[str]] = [
        (_prefixes(path[:level]), path[level], row) for row, path in enumerate(paths)
    ]
    return SuppressedCounts.learn(observations, OTHER)


def _prefixes(path: CategoryPath) -> tuple[CategoryPath, ...]:
    return tuple(path[:end] for end in range(len(path), -1, -1))


def _paths_below(path: CategoryPath, levels: Sequence[SuppressedCounts[str]]) -> Iterator[tuple[CategoryPath, float]]:
    """Yield all whole paths that begin with a path, and their shares of it."""
    if len(path) == len(levels):
        yield path, 1.0
        return
    for name, share in levels[len(path)].shares(_prefixes(path)).items():
        if share >= _MIN_SHARE:
            for whole, part in _paths_below((*path, name), levels):
                yield whole, share * part
