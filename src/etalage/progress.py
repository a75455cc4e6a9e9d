"""One progress bar for all long work: items done, speed, time left.

On a terminal it is a line that moves. Elsewhere (a pipe, a file, Slurm, CI) it is a plain line now and then. Both go on
while a slow item is under way.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from etalage.console import console, error_console
from etalage.wording import clock

__all__ = ["ProgressBar", "ProgressCallback", "progress_bar"]

T = TypeVar("T")
ProgressCallback = Callable[[int, int], None]
"""A function called with the number of items completed and the total number of items."""

_MIN_BAR_WIDTH, _MAX_BAR_WIDTH = 6, 20
_PLAIN_LINES_EVERY_S = 30.0
_PLAIN_LINES_SHARE = 0.02
"""Plain lines come at least this share of the whole time apart, so that days do not fill a log."""
_MIN_TIMED_S = 1.0
"""The items after the first update are timed alone from this time on."""
_QUICK_WORK_S = 5.0
"""Work that takes less leaves no plain line."""


class ProgressBar:
    """A count of what is done of long work, and of how long the rest takes.

    Args:
        description: A word or two for what is done.
        total: The number of items, if it is known.
        completed: The number of items that an earlier process completed.
    """

    def __init__(self, description: str, total: int | None = None, completed: int = 0) -> None:
        self.description, self.total, self.completed, self.note = description, total, completed, ""
        self.stages: list[ProgressBar] = []
        """Work within the current item, the outermost first."""
        self._began, self._num_before = time.monotonic(), completed
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None

    def advance(self, num_items: int = 1, note: str = "") -> None:
        """Count more items as completed.

        Args:
            num_items: The number of items completed since the last call.
            note: A text to show after the speed.
        """
        self.note = note
        self._set(self.completed + num_items)

    def track(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items and count each one as completed when the next one is asked for."""
        for item in items:
            yield item
            self.advance()

    def update(self, completed: int, total: int) -> None:
        """Set how far the work is; a `ProgressCallback`.

        Args:
            completed: The number of items completed.
            total: The number of all items.
        """
        self.total = total
        self._set(completed)

    @contextmanager
    def stage(self, description: str, total: int | None = None) -> Iterator["ProgressBar"]:
        """Show work within the current item, such as validation between two steps, while the block runs.

        Args:
            description: A word or two for what is done.
            total: The number of its items, if it is known.
        """
        stage = ProgressBar(description, total)
        self.stages.append(stage)
        try:
            yield stage
        finally:
            self.stages.remove(stage)

    @property
    def is_done(self) -> bool:
        """All items are completed, as far as is known."""
        return self.total is not None and self.completed >= self.total

    @property
    def seconds_elapsed(self) -> float:
        """The time since the bar appeared."""
        return time.monotonic() - self._began

    @property
    def seconds_per_item(self) -> float | None:
        """The mean; until all are done, without the items before the first update, which often have more to do."""
        if self._first is None or self._last is None:
            return None
        (first, num_first), (last, num_last) = self._first, self._last
        seconds, num_items = last - first, num_last - num_first
        # Items that come in one burst would have an absurd speed.
        if seconds < _MIN_TIMED_S or num_items <= 0 or self.is_done:
            seconds, num_items = last - self._began, num_last - self._num_before
        return seconds / num_items if seconds > 0 and num_items > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """An estimate of the time that is left; None before the first update or without a total."""
        pace = self.seconds_per_item
        if pace is None or self._last is None or self.total is None:
            return None
        num_left = max(0, self.total - self.completed)
        # Items that take long count down while they are under way, but not below what is left after them.
        return max(num_left * pace - (time.monotonic() - self._last[0]), max(0, num_left - 1) * pace)

    def figures(self) -> list[str]:
        """Return what is known, in the order in which it is shown: items, speed, time left or passed."""
        shown = f"{self.completed:,}" + (f"/{self.total:,}" if self.total is not None else "")
        figures = [shown] if self.total is not None or self.completed else []
        pace, left = self.seconds_per_item, self.seconds_left
        if pace is not None:
            each = f"{pace:.1f} s" if pace < 100 else clock(pace)
            figures.append(f"{1 / pace:,.{0 if pace < 0.01 else 1}f}/s" if pace <= 1 else f"{each} each")
        # A last item that takes longer than the others has no estimate.
        figures.append(f"{clock(left)} left" if left and not self.is_done else clock(self.seconds_elapsed))
        return figures

    def _set(self, completed: int) -> None:
        self.completed = completed
        self._last = (time.monotonic(), completed)
        self._first = self._first or self._last


@contextmanager
def progress_bar(description: str, total: int | None = None, *, completed: int = 0) -> Iterator[ProgressBar]:
    """Show a progress bar while the block runs: on stdout if that is a terminal, else on stderr.

    Args:
        description: A word or two to show in front of the bar.
        total: The number of items, if it is known at the start.
        completed: The number of items that an earlier process completed.
    """
    bar, output = ProgressBar(description, total, completed), console if console.is_terminal else error_console
    # rich takes FORCE_COLOR for a terminal, which CI sets; a moving line needs a real one.
    if output.file.isatty() and output.is_interactive and not os.environ.get("CI"):
        with Live(get_renderable=lambda: _lines(bar, output), console=output, refresh_per_second=4):
            yield bar
    else:
        with _plain_lines(bar):
            yield bar


def _lines(bar: ProgressBar, output: Console) -> Group:
    return Group(*[_line(b, output) for b in (bar, *bar.stages)])


def _line(bar: ProgressBar, output: Console) -> Text:
    """Return one line that fits the terminal: where room is short, the bar shrinks and goes first, then the note."""
    *middle, last = bar.figures()
    words = f"{bar.description:<8} ", "  ".join([*middle, last]), f"  {bar.note}" * bool(bar.note)
    room = output.width - 1
    note = words[2] if len("".join(words)) <= room else ""
    line = Text(words[0], no_wrap=True, overflow="crop", end="")
    width = min(_MAX_BAR_WIDTH, room - len("".join(words[:2])) - len(note) - 1)
    if bar.total and width >= _MIN_BAR_WIDTH:
        done = round(width * min(1.0, bar.completed / bar.total))
        full, empty = ("━", "━") if output.encoding.startswith("utf") else ("#", "-")
        line.append(full * done, "green").append(empty * (width - done), "dim").append(" ")
    line.append(words[1]).append(note, "dim")
    line.truncate(room)
    return line


@contextmanager
def _plain_lines(bar: ProgressBar) -> Iterator[None]:
    """Print a line now and then while the block runs, and one at its end if that took long."""
    stop, printed = threading.Event(), time.monotonic()

    def print_line() -> None:
        # print, as a rich console would wrap and colour it
        words = [", ".join([f"{b.description} {b.figures()[0]}", *b.figures()[1:]]) for b in (bar, *bar.stages)]
        error_console.print("; ".join(words) + f"; {bar.note}" * bool(bar.note))

    def keep_printing() -> None:
        nonlocal printed
        while not stop.wait(_PLAIN_LINES_EVERY_S):
            whole = bar.seconds_elapsed + (bar.seconds_left or 0)
            if time.monotonic() - printed >= _PLAIN_LINES_SHARE * whole:
                printed = time.monotonic()
                print_line()

    thread = threading.Thread(target=keep_printing, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        if bar.seconds_elapsed >= min(_QUICK_WORK_S, _PLAIN_LINES_EVERY_S):
            print_line()
