"""The table that every reader returns, whatever the format."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from etalage.catalogue.readers.header import NUM_HEADER_ROWS, check_header, clean_name, find_header, header_note
from etalage.errors import EtalageError

__all__ = [
    "CHUNK_BYTES",
    "MAX_CELL_CHARS",
    "LinkedText",
    "RawTable",
    "RowPositions",
    "UnreadableRow",
    "is_blank",
    "row_place",
    "table_with_header",
]

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
    """Messages for the user about what was guessed or left out, one on each line; empty if nothing was."""
    place_of: Callable[[int], str] = field(default=row_place, repr=False)
    """Returns where a row is as the user sees it, such as "row 14", by its number in reading order, from 1."""


class LinkedText(str):
    """A text with a hyperlink behind it, which may lead to a picture."""

    url: str

    def __new__(cls, text: str, url: str) -> "LinkedText":
        """Return the text of a cell with the target of its link."""
        linked = super().__new__(cls, text)
        linked.url = url
        return linked


class RowPositions:
    """The lines of a file in which its rows stand, such as the numbers that a spreadsheet shows.

    Only the rows before which something was left out take memory. Where nothing is added, rows are counted.

    Args:
        word: What such a line is called.
    """

    def __init__(self, word: str = "row") -> None:
        self._word = word
        self._numbers = array("q")
        self._offsets = array("q")

    def add(self, number: int, position: int) -> None:
        """Record where a row is; rows are added in order, and once more whenever the table is read again.

        Args:
            number: The number of the row in reading order, from 1.
            position: The number of its line.
        """
        offset = position - number
        if not self._numbers or (number > self._numbers[-1] and offset != self._offsets[-1]):
            self._numbers.append(number)
            self._offsets.append(offset)

    def place_of(self, number: int) -> str:
        """Return where a row is that was read before.

        Args:
            number: The number of the row in reading order, from 1.
        """
        index = bisect_right(self._numbers, number) - 1
        return f"{self._word} {number + self._offsets[index]}" if index >= 0 else row_place(number)


def is_blank(cells: Sequence[Any]) -> bool:
    """Return whether a row has no cell with a value."""
    return not any(cell is not None and (not isinstance(cell, str) or clean_name(cell)) for cell in cells)


def table_with_header(
    name: str, iterate: Callable[[], Iterator[list[Any] | UnreadableRow]], notes: Sequence[str] = ()
) -> RawTable:
    """Return a table of which one of the first lines names the columns.

    A row that is too short lacks its last cells. A row that is too long is read if what is too much is empty.

    Args:
        name: The file's name, for messages.
        iterate: Reads all lines from the start, blank ones included.
        notes: What was guessed before; see `RawTable.note`.

    Raises:
        EtalageError: There is no header.
    """
    # Each call of `iterate` opens the file anew, since a table is read several times.
    lines = iterate()
    head: list[list[Any]] = []
    num_filled = 0
    for line in lines:
        head.append([] if isinstance(line, UnreadableRow) else line)
        num_filled += not is_blank(head[-1])
        if num_filled >= NUM_HEADER_ROWS:
            break
    if not num_filled:
        raise EtalageError(f"{name} is empty; give a file with a header and rows")
    header = find_header(head)
    check_header(name, head[header], header)
    column_names = ["" if cell is None else str(cell) for cell in head[header]]
    positions = RowPositions()

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any] | UnreadableRow]:
        indices = [column_names.index(column) for column in columns]
        below = ((i, line) for i, line in enumerate(islice(iterate(), header + 1, None), header + 2))
        filled = (pair for pair in below if isinstance(pair[1], UnreadableRow) or not is_blank(pair[1]))
        rows = _find_broken_lines(filled, len(column_names))
        for number, (position, row) in enumerate(rows, 1):
            positions.add(number, position)
            fitted = _fit(row, len(column_names))
            yield fitted if isinstance(fitted, UnreadableRow) else [fitted[index] for index in indices]

    note = "\n".join(filter(None, [*notes, header_note(head, header)]))
    return RawTable(column_names, read_rows, note, positions.place_of)


def _fit(row: list[Any] | UnreadableRow, width: int) -> list[Any] | UnreadableRow:
    """Return a row with as many cells as the header has."""
    if isinstance(row, UnreadableRow) or len(row) == width:
        return row
    if is_blank(row[width:]):
        return [*row[:width], *[""] * (width - len(row))]
    return UnreadableRow(
        "row_too_long", f"{len(row)} cells where the header has {width}; quote cells that hold a separator"
    )


def _find_broken_lines(
    rows: Iterator[tuple[int, list[Any] | UnreadableRow]], width: int
) -> Iterator[tuple[int, list[Any] | UnreadableRow]]:
    """Yield rows; a line of one cell and the full row after it may be one row that is broken in two.

    The second of them would otherwise be read as a product whose first cell is only half there.
    """
    broken = UnreadableRow(
        "row_broken",
        "a line of one cell before a full row: a heading, or a line break that needs quotes around its cell",
    )
    held: tuple[int, list[Any] | UnreadableRow] | None = None
    for position, row in rows:
        if held is not None:
            is_whole = isinstance(row, list) and len(row) == width
            yield (held[0], broken) if is_whole else held
            row = broken if is_whole else row
            held = None
        if isinstance(row, list) and len(row) == 1 and width > 1:
            held = position, row
        else:
            yield position, row
    if held is not None:
        yield held
