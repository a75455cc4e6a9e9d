"""Iterables in lists of a fixed size, as `itertools.batched` gives them from Python 3.12 on."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

__all__ = ["chunks"]

T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of consecutive items, and read no further ahead than the list that is yielded.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]

    Args:
        items: The items, read once.
        size: The number of items in each list; the last list may be shorter.
    """
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk
