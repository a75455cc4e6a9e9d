"""A source whose columns are matched to the task -> rows of text under the names that the task uses.

Rows are streamed: a table of a million rows needs no more memory than one of ten.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

from etalage.catalogue.columns import RESERVED_COLUMNS, match_columns
from etalage.catalogue.missing import is_missing
from etalage.catalogue.picture_cells import cell_pictures
from etalage.catalogue.readers.header import is_value
from etalage.catalogue.readers.raw_table import LinkedText, UnreadableRow
from etalage.catalogue.sources import Source
from etalage.config import PrepareConfig
from etalage.errors import EtalageError
from etalage.task import Field

__all__ = ["Cell", "Row", "Table", "number_text", "read_table"]

Cell = str | int | float | Decimal
"""A cell of a text or a price: a number where the format of the table has numbers."""

_MAX_SHOWN_CHARS = 80
MAX_ORIGINAL_CHARS = 10_000
"""The most that is kept of a cell that the task does not use."""

NUM_SAMPLE_ROWS, MAX_SAMPLE_BYTES = 200, 1 << 26
"""The part of a table that is read to recognise columns by their cells."""

_UNSUPPORTED = "unsupported"
# In an answer that is learned whole, a word such as None may be what is to be said.
_WHOLE_TEXTS = ("question", "answer", _UNSUPPORTED)
# The cells of the image column may hold bytes in these formats.
_KINDS_WITH_PICTURES = ("parquet", "datasets", "webdataset", "hub")
# How datasets on the hub name files of a repository; we fetch them like any URL.
_HUB_FILE = re.compile(r"hf://datasets/([^/@]+/[^/@]+)(?:@([^/]+))?/(.+)")


class Row(NamedTuple):
    """A row of a table; a missing value is an empty text."""

    number: int
    """The number of the row in reading order, from 1."""
    place: str
    """Where the row is as the user sees it, such as "row 14"."""
    product_code: str
    """The product's code; the row's number where there is none."""
    images: tuple[str | bytes, ...]
    """Where the picture may be, the best first: paths, URLs or data URIs, or the encoded bytes of a picture."""
    cells: dict[str, Cell]
    """The cells by field of the task. Conversations also have a `question` and, if they cannot be used, the reason
    under `unsupported`."""
    split: str = ""
    """The cell of the column given by --split-column."""
    group: str = ""
    """The cell of the column that says which rows are variants of one product."""
    problem: UnreadableRow | None = None
    """Why the row cannot be read; its cells are then missing."""


@dataclass(frozen=True)
class Table:
    """A source whose columns are matched. Iterating reads it from the start, each time in the same order."""

    source: Source
    columns: Mapping[str, str]
    """The column of each field and of `image`; of `product_code` if there is one, of `split` if it is asked for."""
    guessed: frozenset[str] = frozenset()
    """The keys of `columns` that were recognised by cells, not by the column's name."""

    def __iter__(self) -> Iterator[Row]:
        roles, columns = list(self.columns), list(self.columns.values())
        if self.source.kind == "conversations":
            roles, columns = [*roles, _UNSUPPORTED], [*columns, _UNSUPPORTED]
        for number, cells in enumerate(self.source.read_rows(columns), 1):
            if isinstance(cells, UnreadableRow):
                yield Row(number, self.source.place_of(number), str(number), (), {}, problem=cells)
            else:
                yield self._to_row(number, dict(zip(roles, zip(columns, cells, strict=True), strict=True)))

    def _to_row(self, number: int, found: dict[str, tuple[str, Any]]) -> Row:
        """Return a row by its pairs of a column and a cell, which stand under their roles."""
        place = self.source.place_of(number)
        images = tuple(_pictures_of(found.pop("image")[1]))
        values: dict[str, Cell] = {}
        for role, (column, cell) in found.items():
            value = _value_of(cell, column)
            if isinstance(value, UnreadableRow):
                return Row(number, place, str(number), (), {}, problem=value)
            is_whole = self.source.kind == "conversations" and role in _WHOLE_TEXTS
            values[role] = "" if not is_whole and isinstance(value, str) and is_missing(value) else value
        if not values.get(_UNSUPPORTED):
            values.pop(_UNSUPPORTED, None)
        code, split, group = (number_text(values.pop(role, "")).strip() for role in ("product_code", "split", "group"))
        return Row(number, place, code or str(number), images, values, split, group)

    @property
    def text_columns(self) -> list[str]:
        """The columns of the source that have a name and hold no pictures, in the order of the source."""
        pictures = self.columns["image"] if self.source.kind in _KINDS_WITH_PICTURES else None
        return [name for name in self.source.column_names if name and name != pictures]

    def originals(self, row_numbers: Iterable[int]) -> Iterator[list[str | None]]:
        """Yield the cells of `text_columns` in some rows; None for cells that are empty or not text.

        Args:
            row_numbers: The numbers of the rows, in ascending order; a number may come several times in a row.

        Raises:
            EtalageError: The table has become shorter since it was read.
        """
        # One pass: the numbers ascend, so each search goes on where the last one ended.
        rows = enumerate(self.source.read_rows(self.text_columns), 1)
        number, cells = 0, None
        for row_number in row_numbers:
            if number != row_number:
                number, cells = next((row for row in rows if row[0] == row_number), (row_number, None))
            if cells is None or isinstance(cells, UnreadableRow):
                raise EtalageError(
                    f"{self.source.name} row {row_number} is gone, so the table has changed while it was read; "
                    "prepare it again"
                )
            yield [_original_text(cell) for cell in cells]


def _value_of(cell: Any, column: str) -> Cell | UnreadableRow:
    """Return a cell as a text or a number, or why it is neither."""
    if cell is None or (isinstance(cell, float | Decimal) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, int | float | Decimal):
        return cell
    if isinstance(cell, str):
        if _valid_unicode(cell) == cell:
            return cell
        return UnreadableRow(
            "text_not_unicode", f"column {column!r}: {cell[:_MAX_SHOWN_CHARS]!a} holds half of a character"
        )
    if isinstance(cell, dict):
        names = ", ".join(map(str, cell))[:_MAX_SHOWN_CHARS]
        found = f"an object of {names}" if names else "an empty object"
    else:
        found = "a list" if isinstance(cell, list) else type(cell).__name__
    return UnreadableRow("cell_not_text", f"column {column!r} holds {found} where a text or a number is needed")


def _pictures_of(cell: Any) -> Iterator[str | bytes]:
    """Yield what a cell names as its pictures; the target of a hyperlink where the text itself names none."""
    if isinstance(cell, LinkedText) and not is_value(cell):
        cell = cell.url
    for picture in cell_pictures(cell):
        if isinstance(picture, str) and (match := _HUB_FILE.fullmatch(picture)):
            repository, revision, path = match.groups()
            yield f"https://huggingface.co/datasets/{repository}/resolve/{revision or 'main'}/{quote(path)}"
        elif isinstance(picture, bytes) or not is_missing(picture):
            yield picture


def _original_text(cell: Any) -> str | None:
    if not isinstance(cell, Cell | bool) or cell == "":
        return None
    return _valid_unicode(str(cell)[:MAX_ORIGINAL_CHARS])


def number_text(cell: Cell) -> str:
    """Return a cell as text; a whole number has no decimals, whatever its type, as a code in a column of floats.

    Args:
        cell: A text or a number.
    """
    if isinstance(cell, str):
        return cell
    return str(int(cell)) if math.isfinite(cell) and cell == int(cell) else str(cell)


def _valid_unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # JSON can hold half of a surrogate pair


def read_table(source: Source, fields: Sequence[Field], config: PrepareConfig) -> Table:
    """Match the columns of a source to the fields of a task.

    Args:
        source: The source, as `open_source` returns it.
        fields: The task's fields.
        config: Its `columns` overrides what is recognised; its `split_column` names the column of the splits.

    Raises:
        EtalageError: There are no rows, or a column is missing or may be one of several. While iterating: a row cannot
            be read; the message has its number.
    """
    if clash := RESERVED_COLUMNS.intersection(field.name for field in fields):
        raise EtalageError(
            f"{{{min(clash)}}} cannot be a field of the answer: a catalogue has its own column of that name"
        )
    try:
        match = match_columns(
            source.column_names,
            fields,
            config.columns,
            split_column=config.split_column,
            read_sample=lambda: _read_sample(source),
        )
    except EtalageError as error:
        # The note may say that another sheet or line would have been the right one.
        raise EtalageError(f"{source.name}: {error}" + f" ({source.note})" * bool(source.note)) from error
    columns = dict(match.columns)
    if source.kind == "conversations":
        columns = {"question": "question", **columns}
    table = Table(source, columns, match.guessed)
    # One row is read now, so that a table without any is refused before the work begins.
    if next(iter(table), None) is None:
        raise EtalageError(f"{source.name} has a header and no rows; there is nothing to prepare")
    return table


def _read_sample(source: Source) -> list[list[Any]]:
    """Return the first rows, and fewer of them where they hold pictures."""
    rows: list[list[Any]] = []
    num_bytes = 0
    readable = (row for row in source.read_rows(source.column_names) if not isinstance(row, UnreadableRow))
    for row in islice(readable, NUM_SAMPLE_ROWS):
        rows.append(row)
        num_bytes += sum(_size_of(cell) for cell in row)
        if num_bytes > MAX_SAMPLE_BYTES:
            break
    return rows


def _size_of(cell: Any) -> int:
    if isinstance(cell, list):
        return len(str(cell))
    if isinstance(cell, dict):
        cell = cell.get("bytes")
    return len(cell) if isinstance(cell, str | bytes) else 0
