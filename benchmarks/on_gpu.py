"""Helpers of the scripts that run on a GPU."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import torch

from etalage.cli import main
from etalage.phi3v import attention_kernels


def etalage(*arguments: object) -> None:
    """Run a command; what it prints goes to stderr, so that stdout holds the table alone."""
    with redirect_stdout(sys.stderr):
        main([str(argument) for argument in arguments])


@contextmanager
def measured(name: str) -> Iterator[Callable[[str], None]]:
    """Print a row of a table: name, time, peak memory, and the notes that the block makes.

    Args:
        name: The first cell.

    Yields:
        A function that adds a note.
    """
    notes: list[str] = []
    gc.collect()  # models hold reference cycles
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    torch.cuda.synchronize()
    start = time.perf_counter()
    yield notes.append
    torch.cuda.synchronize()
    seconds, peak = time.perf_counter() - start, torch.cuda.max_memory_allocated() / 2**30
    print("".join(f"| {cell} " for cell in (name, f"{seconds:.2f} s", f"{peak:.1f} GiB", *notes)) + "|", flush=True)


def attention_choices() -> dict[str, Callable[[torch.device], Any]]:
    """Return the attention kernels that this machine can use, by name: what `use_attention` takes."""
    flash = attention_kernels.flash_attention
    choices: dict[str, Callable[[torch.device], Any]] = {"cuDNN": lambda device: None}
    return choices | ({"FlashAttention 4": flash} if flash(torch.device("cuda")) else {})


def use_attention(choice: Callable[[torch.device], Any]) -> None:
    """Use one of `attention_choices` from now on."""
    attention_kernels.flash_attention = choice
