"""Paths in the category tree, and the shorter paths that statistics fall back to."""

from collections.abc import Mapping

__all__ = ["CategoryPath", "longest_known_prefix", "partial_paths", "path_contexts"]

CategoryPath = tuple[str, ...]
"""Names of categories, from the widest to the narrowest."""


def partial_paths(path: CategoryPath) -> tuple[CategoryPath, ...]:
    """Return the path, the path without its end, its end alone, and its start alone.

    >>> partial_paths(("Women", "Bags", "Totes"))
    (('Women', 'Bags', 'Totes'), ('Women', 'Bags'), ('…', 'Totes'), ('Women',))
    """
    # The mark keeps an end apart from a beginning of the same name: both are looked up in one table.
    return path, path[:-1], ("…", *path[-1:]), path[:1]


def path_contexts(path: CategoryPath) -> tuple[CategoryPath, ...]:
    """Return the partial paths and, as the widest context, the empty path."""
    return (*partial_paths(path), ())


def longest_known_prefix(path: CategoryPath, known: Mapping[CategoryPath, object]) -> CategoryPath:
    """Return the longest beginning of a path that is a key of a mapping.

    Args:
        path: The path to look up.
        known: The mapping; it has to hold the empty path.

    Returns:
        A key of `known`.
    """
    return next(path[:end] for end in range(len(path), -1, -1) if path[:end] in known)
