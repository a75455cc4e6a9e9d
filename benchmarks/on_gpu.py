"""What scripts that run on a GPU share."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

import torch

from etalage.cli import main


def etalage(*arguments: object) -> None:
    """What it says goes beside the table, not into it."""
    with redirect_stdout(sys.stderr):
        main([str(argument) for argument in arguments])


@contextmanager
def measured(what: str) -> Iterator[Callable[[str], None]]:
    """Print a row of a table: what, time, peak memory, and whatever is noted meanwhile."""
    notes: list[str] = []
    gc.collect()  # models hold cycles
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    torch.cuda.synchronize()
    began = time.perf_counter()
    yield notes.append
    torch.cuda.synchronize()
    seconds, peak = time.perf_counter() - began, torch.cuda.max_memory_allocated() / 2**30
    print("".join(f"| {cell} " for cell in (what, f"{seconds:.2f} s", f"{peak:.1f} GiB", *notes)) + "|", flush=True)
