"""Make the next item while the current one is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")


def prefetch(items: Iterator[T]) -> Iterator[T]:
    """Yield items in order, and make each next one in a thread meanwhile.

    It helps when the items are used on a GPU, which leaves the cores idle. On a CPU both would need the same cores.

    Args:
        items: Makes an item when asked for it. What it raises is raised here, in its turn.
    """
    end = object()
    # The first one is made in this thread: a DataLoader starts its processes then, and only the main thread can be told
    # when one of them dies.
    item = next(items, end)
    with ThreadPoolExecutor(1) as thread:
        while item is not end:
            upcoming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]  # the end is not an item
            item = upcoming.result()
