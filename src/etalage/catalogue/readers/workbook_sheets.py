"""The sheets of a workbook: their cells, with merged ones filled, and the links and pictures of these cells."""

import datetime
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.header import NUM_HEADER_ROWS, clean_name, find_header, is_picture
from etalage.catalogue.readers.open_document import CONTENT_PART, read_document
from etalage.catalogue.readers.raw_table import LinkedText, is_blank
from etalage.catalogue.readers.workbook import BROKEN_ZIP, Position, SheetParts, Workbook
from etalage.catalogue.readers.workbook_checks import unreadable_workbook
from etalage.catalogue.readers.workbook_pictures import find_pictures, read_picture

__all__ = ["EMBEDDED_COLUMN", "Sheet", "SheetReader"]

EMBEDDED_COLUMN = "embedded_image"
"""The column of pictures that float over cells with text, or beside the table."""

_NUM_HEAD_ROWS = 200


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet of which the first rows were read."""

    name: str
    is_hidden: bool
    head: list[list[Any]]
    """The first rows; empty if no cell has a value."""
    num_rows: int
    """How many rows it has below its header, blank ones included."""
    header: int
    """The position of the row that names the columns."""
    parts: SheetParts
    pictures: dict[Position, list[str]]
    """The parts of its pictures by the cell that shows them."""
    picture_columns: frozenset[int]
    """The columns whose own cells are the pictures."""

    @property
    def names(self) -> list[str]:
        """The names of its columns; empty where there is none, and beside a name that is merged over several."""
        names = [clean_name(cell) for cell in self.head[self.header]] if self.head else []
        for (first_row, first), (last_row, last) in self.parts.merged:
            if first_row <= self.header <= last_row:
                names[first + 1 : last + 1] = [""] * len(names[first + 1 : last + 1])
        return names

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns that have one, without capitals."""
        return frozenset(name.casefold() for name in self.names if name)

    @property
    def is_table(self) -> bool:
        """True if it has a header of several columns and rows below it."""
        return len(self.columns) > 1 and self.num_rows > 0

    @property
    def shows_pictures(self) -> bool:
        """True if it holds pictures, or names their files."""
        cells = (cell for row in self.head[self.header + 1 :] for cell in row)
        return bool(self.pictures) or any(
            isinstance(cell, LinkedText) or (isinstance(cell, str) and "." in cell and is_picture(cell))
            for cell in cells
        )

    @property
    def has_embedded_column(self) -> bool:
        """True if some of its pictures are in no column with a name of its own."""
        return any(row > self.header and column not in self.picture_columns for row, column in self.pictures)

    def __str__(self) -> str:
        """Return the sheet as messages show it."""
        num_rows = self.num_rows + (not self.is_table)  # a sheet of notes has no header
        rows = "empty" if not self.head else "1 row" if num_rows == 1 else f"{num_rows} rows"
        return f"{self.name!r} ({rows}{', hidden' * self.is_hidden})"


class SheetReader:
    """Reads the sheets of a workbook.

    Args:
        path: The workbook.
        max_image_bytes: The largest picture that is read. A larger one is cut one byte beyond it.
    """

    def __init__(self, path: Path, max_image_bytes: int) -> None:
        self._path = path
        self._max_image_bytes = max_image_bytes

    def open_sheets(self) -> list[Sheet]:
        """Return all sheets with their first rows, in the order of the workbook.

        Raises:
            EtalageError: The file cannot be read.
        """
        from python_calamine import SheetTypeEnum, SheetVisibleEnum

        sheets = []
        with self._open() as (book, archive):
            parts_by_name = archive.sheet_parts() if archive else {}
            document = read_document(archive) if archive and CONTENT_PART in archive.names else {}
            for about in book.sheets_metadata:
                if about.typ != SheetTypeEnum.WorkSheet:
                    continue
                found = book.get_sheet_by_name(about.name)
                part = parts_by_name.get(about.name, "")
                parts = archive.read_sheet(part) if archive and part else document.get(about.name, SheetParts())
                parts.merged.extend(found.merged_cell_ranges or ())
                pictures = find_pictures(archive, part, parts) if archive else {}
                _repeat_over_merged(pictures, parts.merged, found.end[0] if found.end else 0)
                head = list(islice(_read_cells(found, parts), _NUM_HEAD_ROWS))
                head = head if any(not is_blank(row) for row in head) else []
                header = find_header(_with_pictures(head[:NUM_HEADER_ROWS], pictures))
                num_rows = found.end[0] - header if found.end else 0
                is_hidden = about.visible != SheetVisibleEnum.Visible
                columns = _picture_columns(head, header, pictures)
                sheets.append(Sheet(about.name, is_hidden, head, num_rows, header, parts, pictures, columns))
        return sheets

    def read(self, sheet: Sheet, columns: Collection[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number of each row as a spreadsheet shows it, and its cells by column; no blank rows.

        Args:
            sheet: The sheet.
            columns: The columns that are needed, in any capitals; pictures of others are not read.

        Raises:
            EtalageError: The file cannot be read.
        """
        names = sheet.names
        wanted = {column.casefold() for column in columns}
        with self._open() as (book, archive):
            rows = _read_cells(book.get_sheet_by_name(sheet.name), sheet.parts)
            columns_by_row: dict[int, list[int]] = {}
            for picture_row, column in sheet.pictures:
                columns_by_row.setdefault(picture_row, []).append(column)
            for position, row in enumerate(rows):
                if position <= sheet.header or (is_blank(row) and position not in columns_by_row):
                    continue
                cells = {name: row[index] for index, name in enumerate(names) if index < len(row)}
                for column in sorted(columns_by_row.get(position, ())):
                    is_own = column in sheet.picture_columns
                    name = names[column] if is_own else EMBEDDED_COLUMN
                    if name.casefold() in wanted and archive:
                        pictures = [
                            read_picture(archive, part, self._max_image_bytes)
                            for part in sheet.pictures[position, column]
                        ]
                        before = cells.get(name) or []
                        cells[name] = [*pictures, *(before if isinstance(before, list) else [before])]
                yield position + 1, cells

    @contextmanager
    def _open(self) -> Iterator[tuple[Any, Workbook | None]]:
        """Open the workbook twice: for values, and as an archive if it is one of the newer format."""
        from python_calamine import CalamineError, load_workbook

        archive = None
        try:
            if zipfile.is_zipfile(self._path):
                archive = Workbook(self._path)
            with load_workbook(self._path) as book:
                yield book, archive
        except (CalamineError, *BROKEN_ZIP) as error:
            raise unreadable_workbook(self._path, error) from error
        except BaseException as error:
            # A failed assertion in the library's Rust code; its class cannot be imported, and is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise unreadable_workbook(self._path, error) from error
        finally:
            if archive is not None:
                archive.zip.close()


def _read_cells(sheet: Any, parts: SheetParts) -> Iterator[list[Any]]:
    """Yield the rows of a sheet from its first one on, with merged cells filled."""
    num_before = sheet.start[1] if sheet.start else 0
    merged = sorted(parts.merged, reverse=True)
    links: dict[int, dict[int, str]] = {}
    for (row, column), url in parts.links.items():
        links.setdefault(row, {})[column] = url
    image_ids: dict[int, list[int]] = {}
    for row, column in parts.image_ids:
        image_ids.setdefault(row, []).append(column)
    filled: list[tuple[int, int, int, Any]] = []
    for position, values in enumerate(sheet.iter_rows()):
        cells = [*[""] * num_before, *map(_to_cell, values)]
        for column in image_ids.get(position, ()):
            if column < len(cells):
                cells[column] = ""  # WPS stores the text of the formula as its value
        for column, url in links.get(position, {}).items():
            if column < len(cells) and isinstance(cells[column], str):
                cells[column] = LinkedText(cells[column], url)
        while merged and merged[-1][0][0] <= position:
            (_, first), (last_row, last) = merged.pop()
            if first < len(cells):
                filled.append((last_row, first, last, cells[first]))
        for _, first, last, value in filled:
            cells[first : last + 1] = [value] * (min(last + 1, len(cells)) - first)
        filled = [one for one in filled if one[0] > position]
        yield cells


def _to_cell(value: Any) -> Any:
    """Return a number, a bool or a text."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value  # Excel has no integers, and shows 990.0 as 990
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return str(value)
    return value


def _repeat_over_merged(
    pictures: dict[Position, list[str]], merged: Collection[tuple[Position, Position]], last_row: int
) -> None:
    """Show a picture that is in merged cells in each of their rows, as the value of merged cells is."""
    columns = {column for _, column in pictures}
    shown: dict[Position, list[str]] = {}
    for (first_row, first), (last, last_column) in merged:
        for column in columns.intersection(range(first, last_column + 1)):
            rows = range(first_row, min(last, last_row) + 1)
            parts = [part for row in rows for part in pictures.get((row, column), ())]
            shown |= {(row, column): parts for row in rows if parts}
    pictures.update(shown)


def _with_pictures(head: list[list[Any]], pictures: Collection[Position]) -> list[list[Any]]:
    """Return the first rows with a path in place of each picture, so that a row with one is known for a product."""
    counts = Counter(column for _, column in pictures)
    if not counts:
        return head
    # A picture in another column than most may be a logo.
    column = max(counts, key=lambda one: counts[one])
    return [[*row, f"{i}.png"] if (i, column) in pictures else row for i, row in enumerate(head)]


def _picture_columns(head: list[list[Any]], header: int, pictures: dict[Position, list[str]]) -> frozenset[int]:
    """Return the columns with a name in which pictures mostly are where no text is."""
    names = [clean_name(cell) for cell in head[header]] if head else []
    counts: dict[int, list[bool]] = {}
    for row, column in pictures:
        if header < row < len(head):
            cell = head[row][column] if column < len(head[row]) else ""
            counts.setdefault(column, []).append(not clean_name(cell))
    return frozenset(
        column
        for column, are_empty in counts.items()
        if column < len(names) and names[column] and sum(are_empty) >= 0.8 * len(are_empty)
    )
