"""Pools of worker processes that share work among the cores."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from etalage.interrupts import ignore_interrupts

__all__ = ["NUM_WORKERS", "process_pool"]

NUM_WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""The number of cores that this process may use."""

# Plain fork is never used: a forked copy of a process with threads can deadlock on a lock that a thread held.
_CONTEXT = multiprocessing.get_context("spawn" if sys.platform in ("win32", "darwin") else "forkserver")


def process_pool(
    num_workers: int = NUM_WORKERS, initializer: Callable[..., None] | None = None, *initargs: Any
) -> ProcessPoolExecutor:
    """Return a pool whose workers ignore Ctrl-C and SIGTERM, which the parent handles, and exit when the parent does.

    Args:
        num_workers: The number of processes.
        initializer: A function that each worker calls once before its first task.
        initargs: The arguments of `initializer`.
    """
    return ProcessPoolExecutor(num_workers, _CONTEXT, initializer=_start_worker, initargs=(initializer, initargs))


def _start_worker(initializer: Callable[..., None] | None, initargs: tuple[Any, ...]) -> None:
    ignore_interrupts()
    # A daemon, so that it does not keep a worker alive that has finished.
    Thread(target=_exit_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*initargs)


def _exit_with_parent() -> None:
    """End this worker when its parent ends: a killed parent cannot tell its workers, and they would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "only a worker process waits for its parent"
    wait([parent.sentinel])
    os._exit(1)  # sys.exit would end this thread alone, not the process
