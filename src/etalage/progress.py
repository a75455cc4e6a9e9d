"""One progress bar for all long work: items done, speed, time left."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rich import progress as rich_progress
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

__all__ = ["ProgressBar", "ProgressCallback", "progress_bar"]

T = TypeVar("T")
ProgressCallback = Callable[[int, int], None]
"""A function called with the number of items completed and the total number of items."""


@dataclass(frozen=True)
class ProgressBar:
    """A bar on the terminal that long work updates."""

    progress: rich_progress.Progress
    task: TaskID

    def advance(self, num_items: int = 1, note: str = "") -> None:
        """Count more items as completed.

        Args:
            num_items: The number of items completed since the last call.
            note: A text to show after the speed.
        """
        self.progress.update(self.task, advance=num_items, note=note)

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
        self.progress.update(self.task, completed=completed, total=total)


class _SpeedColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("–")
        return Text(f"{speed:,.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each")


@contextmanager
def progress_bar(description: str, total: int | None = None, *, completed: int = 0) -> Iterator[ProgressBar]:
    """Show a progress bar while the block runs.

    Args:
        description: One word to show in front of the bar.
        total: The number of items, if it is known at the start.
        completed: The number of items that an earlier process completed.
    """
    with rich_progress.Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        _SpeedColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    ) as progress:
        yield ProgressBar(progress, progress.add_task(f"{description:<8}", total=total, completed=completed, note=""))
