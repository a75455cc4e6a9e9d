"""The table that every reader returns, whatever the format."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from etalage.errors import EtalageError

__all__ = ["CHUNK_BYTES", "MAX_CELL_CHARS", "RawTable", "UnreadableRow", "row_place", "table_with_header"]

MAX_CELL_CHARS = 100_000_000
"""The longest cell that is read. A longer title only drops its product (checks.py); it does not end the run."""

CHUNK_BYTES = 1 << 20
"""How much of a file is read at once."""


@dataclass(frozen=True)
class UnreadableRow:
    """A row whose cells cannot be told apart or read; it is dropped and counted, and does not end the table."""

    reason: str
    """The reason as it is counted among dropped rows."""
    detail: str
    """What is wrong with the row."""


def row_place(number: int) -> str:
    """Return where a row is, for a source whose first row of products is row 1.

    Args:
        number: The number of the row in reading order, from 1.
    """
    return f"row {number}"


@dataclass(frozen=True)
class RawTable:
    """A table whose column names are known and whose rows have yet to be read."""

    column_names: list[str]
    """The columns, in the order of the file."""
    read_rows: Callable[[Sequence[str]], Iterator[list[Any] | UnreadableRow]] = field(repr=False)
    """Reads the cells of the given columns, from the first row on. A cell is a str, None where there is no value, or an
    int, float, Decimal, bool, bytes, list or dict where the format holds them."""
    note: str = ""
    """A message for the user about what was guessed; empty if nothing was."""
    place_of: Callable[[int], str] = field(default=row_place, repr=False)
    """Returns where a row is as the user sees it, such as "row 14", by its number in reading order, from 1."""


def table_with_header(name: str, iterate: Callable[[], Iterator[list[str]]], note: str = "") -> RawTable:
    """Return a table whose first row names its columns.

    Args:
        name: The file's name, for messages.
        iterate: Reads all rows from the start, the header first.
        note: See `RawTable.note`.

    Raises:
        EtalageError: There is no header.
    """
    # Each call of `iterate` opens the file anew, since a table is read several times.
    column_names = next(iterate(), None)
    if column_names is None:
        raise EtalageError(f"{name} is empty; give a file with a header and rows")

    def read_rows(columns: Sequence[str]) -> Iterator[list[str]]:
        positions = [column_names.index(column) for column in columns]
        return ([row[position] for position in positions] for row in islice(iterate(), 1, None))

    return RawTable(column_names, read_rows, note)
