"""Processes that share work among the cores."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

__all__ = ["NUM_WORKERS", "pool"]

NUM_WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

# never plain fork: a process with threads may then wait for ever
_CONTEXT = multiprocessing.get_context("spawn" if sys.platform in ("win32", "darwin") else "forkserver")


def pool(num_workers: int = NUM_WORKERS, begin: Callable[..., None] | None = None, *given: Any) -> ProcessPoolExecutor:
    """Processes that leave Ctrl-C to the parent. Each calls `begin(*given)` first."""
    return ProcessPoolExecutor(num_workers, _CONTEXT, initializer=_begin, initargs=(begin, given))


def _begin(begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if begin is not None:
        begin(*given)
