"""Things by so many at once; what `itertools.batched` is from Python 3.12 on."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

__all__ = ["chunks"]

T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of this many, the last one of fewer; nothing is taken before it is asked for."""
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk
