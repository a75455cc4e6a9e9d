"""Nested mappings as flat ones with dotted names."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["flatten"]


def flatten(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value that is not itself a mapping, with its path.

    >>> list(flatten({"price": {"mae": 1.5}, "split": "test"}))
    [('price.mae', 1.5), ('split', 'test')]

    Args:
        nested: Mappings within mappings, to any depth.
        prefix: Put before each name.
    """
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
