"""The category tree: which columns it is made of, where each row stands in it, and how many rows each branch gets."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from etalage.sample.mimic.original import Original
from etalage.sample.mimic.suppressed_counts import Cells, K, Seen

__all__ = ["OTHER", "Tree", "grow"]

OTHER = "OTHER"
"""Stands for categories that are too rare to be named."""

Path = tuple[str, ...]
_LEAST_SHARE = 1e-4
"""Of the rows; rarer combinations of categories are not made."""


@dataclass(frozen=True)
class Tree:
    """A catalogue's categories."""

    columns: tuple[str, ...]
    """From the widest to the narrowest."""
    shown: int
    """Level of the one that is to be told from a picture."""
    paths: tuple[Path, ...]
    """Of each row, what is rare renamed."""
    shares: Mapping[Path, float]
    """Of the rows to be made."""
    num_suppressed: int


def grow(original: Original) -> Tree:
    """Find the tree: the category's column, and those that are called like it but for a number."""
    category = original.roles["category"]
    alike = re.sub(r"\d+", "#", category)
    columns = tuple(
        column.name
        for column in original.columns
        if column.kind == "category" and re.sub(r"\d+", "#", column.name) == alike
    )
    raw = list(zip(*([text or "" for text in original.texts[name]] for name in columns), strict=True))
    paths, num_renamed = _renamed(raw)
    levels = [_level(paths, level) for level in range(len(columns))]
    shares = {path: share for path, share in _branches((), levels) if share >= _LEAST_SHARE}
    total = sum(shares.values())
    num_suppressed = num_renamed + sum(level.num_suppressed for level in levels)
    even = {path: share / total for path, share in sorted(shares.items(), key=lambda item: (-item[1], item[0]))}
    return Tree(columns, columns.index(category), tuple(paths), even, num_suppressed)


def _renamed(paths: Sequence[Path]) -> tuple[list[Path], int]:
    """Names that fewer than K rows have become their most frequent sibling's, or OTHER; and how many were renamed."""
    num_renamed = 0
    for level in range(len(paths[0])):
        counts = Counter(path[level] for path in paths)
        frequent = {name for name, count in counts.items() if count >= K}
        siblings: dict[Path, Counter[str]] = {}
        for path in paths:
            if path[level] in frequent:
                siblings.setdefault(path[:level], Counter())[path[level]] += 1
        num_renamed += len(counts) - len(frequent)
        places = [path if path[level] in frequent else _moved(path, level, siblings) for path in paths]
        if 0 < sum(path[level] == OTHER for path in places) < K and frequent:
            most = counts.most_common(1)[0][0]
            places = [(*p[:level], most, *p[level + 1 :]) if p[level] == OTHER else p for p in places]
        paths = places
    return list(paths), num_renamed


def _moved(path: Path, level: int, siblings: Mapping[Path, Counter[str]]) -> Path:
    found = siblings.get(path[:level])
    name = found.most_common(1)[0][0] if found else OTHER
    return (*path[:level], name, *path[level + 1 :])


def _level(paths: Sequence[Path], level: int) -> Cells[str]:
    seen: list[Seen[str]] = [(_beginnings(path[:level]), path[level], row) for row, path in enumerate(paths)]
    return Cells.learn(seen, OTHER)


def _beginnings(path: Path) -> tuple[Path, ...]:
    return tuple(path[:end] for end in range(len(path), -1, -1))


def _branches(path: Path, levels: Sequence[Cells[str]]) -> Iterator[tuple[Path, float]]:
    """All whole paths that begin with this one, and their shares of it."""
    if len(path) == len(levels):
        yield path, 1.0
        return
    for name, share in levels[len(path)].shares(_beginnings(path)).items():
        if share >= _LEAST_SHARE:
            for whole, part in _branches((*path, name), levels):
                yield whole, share * part
