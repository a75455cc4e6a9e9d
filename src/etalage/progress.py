"""One progress bar for all long work: how far, how fast, how long still."""

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

__all__ = ["Bar", "Progress", "bar"]

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""


@dataclass(frozen=True)
class Bar:
    """What long work tells of itself."""

    progress: rich_progress.Progress
    task: TaskID

    def add(self, done: int = 1, note: str = "") -> None:
        """So many more are done."""
        self.progress.update(self.task, advance=done, note=note)

    def each(self, things: Iterable[T]) -> Iterator[T]:
        """Pass things through and count them."""
        for thing in things:
            yield thing
            self.add()

    def reach(self, done: int, total: int) -> None:
        """So many are done, of so many."""
        self.progress.update(self.task, completed=done, total=total)


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("–")
        return Text(f"{speed:,.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each")


@contextmanager
def bar(what: str, total: int | None = None, *, done: int = 0) -> Iterator[Bar]:
    """Show a bar while the body runs.

    Args:
        what: One word, in front of the bar.
        total: Number of things, if known at the start; the speed is in these.
        done: Those done before, in an earlier process.
    """
    with rich_progress.Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        _Speed(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    ) as progress:
        yield Bar(progress, progress.add_task(f"{what:<8}", total=total, completed=done, note=""))
