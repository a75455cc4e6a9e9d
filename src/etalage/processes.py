"""Processes that share work among the cores."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

__all__ = ["NUM_WORKERS", "pool"]

NUM_WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

# never plain fork: a process with threads may then wait for ever
_CONTEXT = multiprocessing.get_context("spawn" if sys.platform in ("win32", "darwin") else "forkserver")


def pool(num_workers: int = NUM_WORKERS, begin: Callable[..., None] | None = None, *given: Any) -> ProcessPoolExecutor:
    """Processes that leave Ctrl-C to the parent and end with it. Each calls `begin(*given)` first."""
    return ProcessPoolExecutor(num_workers, _CONTEXT, initializer=_begin, initargs=(begin, given))


def _begin(begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    if begin is not None:
        begin(*given)


def _end_with_parent() -> None:
    """A killed parent says nothing, and its workers would wait for ever for more work."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "nothing but a worker waits for its parent"
    wait([parent.sentinel])
    os._exit(1)
