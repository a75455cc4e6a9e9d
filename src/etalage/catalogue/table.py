"""A source whose columns are matched to the task -> rows of text under the names that the task uses.

Rows are streamed: a table of a million rows needs no more memory than one of ten.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

from etalage.catalogue.columns import RESERVED_COLUMNS, match_columns
from etalage.catalogue.readers.raw_table import UnreadableRow
from etalage.catalogue.sources import Source
from etalage.config import PrepareConfig
from etalage.errors import EtalageError
from etalage.task import Field

__all__ = ["Cell", "Row", "Table", "number_text", "read_table"]

Cell = str | int | float | Decimal
"""A cell of a text or a price: a number where the format of the table has numbers."""

MAX_ORIGINAL_CHARS = 10_000
"""The most that is kept of a cell that the task does not use."""

NUM_SAMPLE_ROWS, MAX_SAMPLE_BYTES = 200, 1 << 26
"""The part of a table that is read to recognise columns by their cells."""

_UNSUPPORTED = "unsupported"
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
        image_column, image_cell = found.pop("image")
        image = self._image_of(image_cell, place, image_column)
        values = {role: self._value_of(cell, place, column) for role, (column, cell) in found.items()}
        if not values.get(_UNSUPPORTED):
            values.pop(_UNSUPPORTED, None)
        code, split, group = (number_text(values.pop(role, "")).strip() for role in ("product_code", "split", "group"))
        return Row(number, place, code or str(number), (image,) if image else (), values, split, group)

    @property
    def text_columns(self) -> list[str]:
        """The columns of the source that have a name and hold no pictures, in the order of the source."""
        pictures = self.columns["image"] if self.source.kind in _KINDS_WITH_PICTURES else None
        return [name for name in self.source.column_names if name and name != pictures]

    def originals(self, row_numbers: Iterable[int]) -> Iterator[list[str | None]]:
        """Yield the cells of `text_columns` in some rows; None for cells that are empty or not text.

        Args:
            row_numbers: The numbers of the rows, in ascending order.

        Raises:
            EtalageError: The table has become shorter since it was read.
        """
        # One pass: the numbers ascend, so each search goes on where the last one ended.
        rows = enumerate(self.source.read_rows(self.text_columns), 1)
        for row_number in row_numbers:
            cells = next((cells for number, cells in rows if number == row_number), None)
            if cells is None or isinstance(cells, UnreadableRow):
                raise EtalageError(
                    f"{self.source.name} row {row_number} is gone, so the table has changed while it was read; "
                    "prepare it again"
                )
            yield [_original_text(cell) for cell in cells]

    def _value_of(self, cell: Any, place: str, column: str) -> Cell:
        if cell is None:
            return ""
        if isinstance(cell, bool):
            return str(cell)
        if isinstance(cell, int | float | Decimal):
            return cell
        if not isinstance(cell, str):
            kind = type(cell).__name__
            found = {"list": "a list", "dict": "an object"}.get(kind, kind)
            raise EtalageError(f"{self.source.name} {place}, {column}: {found} where a text or a number is needed")
        return _valid_unicode(cell)

    def _image_of(self, cell: Any, place: str, column: str) -> str | bytes:
        """Return the first picture of a cell: its bytes if the cell holds them, else its path or URL."""
        if isinstance(cell, list):
            cell = cell[0] if cell else None
        if isinstance(cell, dict):
            # Bytes first: the path that `datasets` keeps beside them may name a file of another machine.
            cell = next((cell[key] for key in ("bytes", "path", "url", "src") if cell.get(key)), None)
        if isinstance(cell, bytes):
            return cell
        text = number_text(self._value_of(cell, place, column))
        if match := _HUB_FILE.fullmatch(text):
            repository, revision, path = match.groups()
            return f"https://huggingface.co/datasets/{repository}/resolve/{revision or 'main'}/{quote(path)}"
        return text


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
    return str(int(cell)) if cell == cell // 1 else str(cell)


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
        raise EtalageError(f"{source.name}: {error}") from error
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
