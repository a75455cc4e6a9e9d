"""Ctrl-C and SIGTERM, by which Slurm and containers stop a process: one ends the work in order, two end it at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

__all__ = ["deferred_interrupt", "handle_interrupts", "ignore_interrupts"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = b"\x1b[?25h"


def ignore_interrupts() -> None:
    """Ignore both signals in a worker process: they reach the whole group, and its parent handles them."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def handle_interrupts() -> Iterator[Callable[[], int]]:
    """Raise KeyboardInterrupt in the block at the first signal, and end the process at the second.

    Yields:
        A function that returns the exit status of an interrupted process: 130 after Ctrl-C, 143 after SIGTERM.
    """
    received: int = signal.SIGINT

    def interrupt(number: int, _: FrameType | None) -> None:
        nonlocal received
        received = number
        _exit_at_next_signal()
        raise KeyboardInterrupt

    with _handlers(interrupt, and_second=_exit):
        yield lambda: 128 + received


@contextmanager
def deferred_interrupt(message: str) -> Iterator[Callable[[], bool]]:
    """Let the block finish what it is at: the first signal is only noted, and a second one has its usual effect.

    Args:
        message: A line for standard error when the first signal arrives.

    Yields:
        A function that returns whether a signal has arrived.
    """
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        before = previous.get(number)
        try:
            # A handler of ours counts this signal as the first one; its exception waits until the block asks.
            if callable(before) and before is not signal.default_int_handler:
                before(number, frame)
        except KeyboardInterrupt:
            pass
        else:
            for other, handler in previous.items():
                signal.signal(other, handler)
        with suppress(OSError):
            os.write(2, f"\n{message}\n".encode())  # not through rich, which may be in the middle of a line

    with _handlers(note) as previous:
        yield lambda: bool(received)


_Handler = Callable[[int, FrameType | None], None]


@contextmanager
def _handlers(handler: _Handler, and_second: _Handler | None = None) -> Iterator[dict[int, Any]]:
    """Set a handler for both signals and yield those before, which return at the end unless others took their place."""
    previous: dict[int, Any] = {}
    # Only the main thread may set handlers. One that ignores a signal, as under nohup, goes on ignoring it.
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                previous[number] = signal.signal(number, handler)
    try:
        yield previous
    finally:
        for stop, replaced in previous.items():
            if signal.getsignal(stop) in (handler, and_second):
                signal.signal(stop, replaced)


def _exit_at_next_signal() -> None:
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit)


def _exit(number: int, _: FrameType | None) -> None:
    if os.isatty(2):
        os.write(2, _SHOW_CURSOR)  # which a live display has hidden
    os._exit(128 + number)
