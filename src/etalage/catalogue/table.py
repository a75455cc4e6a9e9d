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

from etalage.catalogue.columns import RESERVED_COLUMNS, ColumnMatch, ask_columns, can_ask, match_columns
from etalage.catalogue.currencies import find_currency_column
from etalage.catalogue.missing import is_missing
from etalage.catalogue.picture_cells import cell_pictures
from etalage.catalogue.readers.header import is_value
from etalage.catalogue.readers.raw_table import LinkedText, UnreadableRow
from etalage.catalogue.sources import Source
from etalage.catalogue.variants import JoinedRow, VariantJoiner
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
    """The column of each field and of `image`; of `product_code`, `split`, `group` and `currency` if there are such."""
    match: ColumnMatch
    """How the columns were recognised."""

    @property
    def image_columns(self) -> Sequence[str]:
        """The columns with pictures, the best first."""
        return (self.columns["image"], *self.match.image_fallbacks)

    def __iter__(self) -> Iterator[Row]:
        for number, row in enumerate(self._read_joined(), 1):
            if isinstance(row, UnreadableRow):
                yield Row(number, self.source.place_of(number), str(number), (), {}, problem=row)
            else:
                yield self._to_row(number, row)

    def _read_joined(self) -> Iterator[JoinedRow | UnreadableRow]:
        """Read the cells by role, with what a variant takes from its product."""
        layout = None if self.match.export is None else self.match.export.layout
        if layout is not None:
            joiner = VariantJoiner(layout, self.source.column_names, self.columns, self.image_columns)
            joiner.learn(self.source.read_rows(joiner.columns))
            rows = joiner.join(self.source.read_rows(joiner.columns))
            is_joined = self.columns.get("group") == joiner.group_column
            yield from (row._replace(group="") if not is_joined and isinstance(row, JoinedRow) else row for row in rows)
            return
        roles = {role: column for role, column in self.columns.items() if role != "image"}
        if self.source.kind == "conversations":
            roles[_UNSUPPORTED] = _UNSUPPORTED
        for cells in self.source.read_rows([*roles.values(), *self.image_columns]):
            if isinstance(cells, UnreadableRow):
                yield cells
            else:
                yield JoinedRow(dict(zip(roles, cells, strict=False)), cells[len(roles) :], "")

    def _to_row(self, number: int, row: JoinedRow) -> Row:
        place = self.source.place_of(number)
        images = tuple(dict.fromkeys(picture for cell in row.images for picture in _pictures_of(cell)))
        values: dict[str, Cell] = {}
        for role, cell in row.cells.items():
            value = _value_of(cell, self.columns.get(role, role))
            if isinstance(value, UnreadableRow):
                return Row(number, place, str(number), (), {}, problem=value)
            is_whole = self.source.kind == "conversations" and role in _WHOLE_TEXTS
            values[role] = "" if not is_whole and isinstance(value, str) and is_missing(value) else value
        if not values.get(_UNSUPPORTED):
            values.pop(_UNSUPPORTED, None)
        code, split, group = (number_text(values.pop(role, "")).strip() for role in ("product_code", "split", "group"))
        return Row(number, place, code or str(number), images, values, split, row.group or group)

    @property
    def text_columns(self) -> list[str]:
        """The columns of the source that have a name and hold no pictures, in the order of the source."""
        pictures = self.image_columns if self.source.kind in _KINDS_WITH_PICTURES else ()
        return [name for name in self.source.column_names if name and name not in pictures]

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
    # An integer of hundreds of digits has no float, so it is not asked whether it is finite.
    is_whole = isinstance(cell, int) or (math.isfinite(cell) and cell == int(cell))
    return str(int(cell)) if is_whole else str(cell)


def _valid_unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # JSON can hold half of a surrogate pair


def read_table(source: Source, fields: Sequence[Field], config: PrepareConfig) -> Table:
    """Match the columns of a source to the fields of a task.

    Args:
        source: The source, as `open_source` returns it.
        fields: The task's fields.
        config: Its `columns` and `column` override what is recognised; its `split_column` and `group_by` name the
            columns of splits and groups.

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
            column=config.column,
            split_column=config.split_column,
            group_by=config.group_by,
            read_sample=lambda: _read_sample(source),
            choose=ask_columns if can_ask() else None,
        )
    except EtalageError as error:
        # The note may say that another sheet or line would have been the right one.
        notes = "".join(f"\nnote: {note}" for note in source.note.splitlines())
        raise EtalageError(f"{source.name}: {error}{notes}") from error
    columns = dict(match.columns)
    # A price such as 12.99 is in the currency that the row states beside it.
    free = [name for name in source.column_names if name not in columns.values()]
    if any(field.kind == "price" for field in fields) and (currency := find_currency_column(free)):
        columns.setdefault("currency", currency)
    if source.kind == "conversations":
        columns = {"question": "question", **columns}
    table = Table(source, columns, match)
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
