"""What receives the figures of a run while it is under way."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

__all__ = ["Figures", "NoTracker", "Tracker"]

Figures = Mapping[str, float]
"""Numbers by name."""


class Tracker(Protocol):
    """A context manager that records figures, tables with pictures, and folders."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def log(self, figures: Figures, step: int | None = None) -> None:
        """Record figures.

        Args:
            figures: Numbers by name.
            step: The step that they belong to; None if they belong to the whole run.
        """

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Record a table.

        Args:
            name: The table's name.
            columns: A heading per column.
            rows: A cell per column; a Path is shown as a picture.
        """

    def log_folder(self, name: str, kind: str, folder: Path) -> None:
        """Record a folder of files as an artifact.

        Args:
            name: The artifact's name.
            kind: The artifact's type, such as model.
            folder: The files.
        """

    def abandon(self) -> None:
        """End without waiting for anything, as the tracker has failed."""


class NoTracker:
    """A tracker that records nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def log(self, figures: Figures, step: int | None = None) -> None:
        """Do nothing.

        Args:
            figures: Ignored.
            step: Ignored.
        """

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Do nothing.

        Args:
            name: Ignored.
            columns: Ignored.
            rows: Ignored.
        """

    def log_folder(self, name: str, kind: str, folder: Path) -> None:
        """Do nothing.

        Args:
            name: Ignored.
            kind: Ignored.
            folder: Ignored.
        """

    def abandon(self) -> None:
        """Do nothing."""
