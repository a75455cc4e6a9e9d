"""Excel and OpenDocument: the first sheet of a workbook, which has to be read whole."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.raw_table import CHUNK_BYTES, RawTable, table_with_header
from etalage.errors import EtalageError

__all__ = ["MAX_SHEET_CELLS", "open_excel"]

MAX_SHEET_CELLS = 50_000_000
"""The largest sheet that is read. It is held in memory with every cell from the first to the last, filled or empty."""

_MAX_XML_BYTES_PER_CELL = 40
# `zipfile` raises RuntimeError for a password, and NotImplementedError for a compression that it does not know.
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, UnicodeDecodeError)
# Each repeat is bounded, so that no match is longer than the overlap of two chunks.
_CELL_REFERENCE = re.compile(rb'<(?:\w{1,9}:)?c [^<>]{0,200}?r="([A-Z]{1,3})(\d{1,7})"')
_MAX_REFERENCE_BYTES = 256
"""At least as long as any match of `_CELL_REFERENCE`, so that one is found where two chunks meet."""


def open_excel(path: Path) -> RawTable:
    """Open the first sheet of a workbook; its first row that is not empty is the header.

    Raises:
        EtalageError: The file is no workbook, has a password or is too large, or python-calamine is not installed.
    """
    try:
        from python_calamine import CalamineError, load_workbook
    except ModuleNotFoundError as error:
        raise EtalageError(f"{path.name}: reading Excel needs one more package; pip install etalage[excel]") from error
    try:
        _check_size(path)
    except _BROKEN_ZIP as error:
        raise _unreadable(path, error) from error

    def read_sheet() -> Iterator[list[Any]]:
        try:
            with load_workbook(path) as book:
                yield from book.get_sheet_by_index(0).iter_rows()
        except (CalamineError, OSError) as error:
            raise _unreadable(path, error) from error

    def iterate() -> Iterator[list[str]]:
        """Leave out empty rows before the header and after the last product, but none between products."""
        empty: list[list[str]] = []
        has_started = False
        for row in read_sheet():
            texts = [_cell_text(cell) for cell in row]
            if not any(texts):
                empty += [texts] * has_started
                continue
            yield from empty
            yield texts
            has_started, empty = True, []

    return table_with_header(path.name, iterate)


def _cell_text(cell: Any) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)  # Excel has no integers, and shows 990.0 as 990
    return "" if cell is None else str(cell)


def _check_size(path: Path) -> None:
    """Refuse sheets that would fill the memory: a few hundred bytes can name a cell in the last corner of a sheet."""
    if not zipfile.is_zipfile(path):
        return  # the older .xls, whose sheets end at 65536 x 256 cells
    num_rows = num_columns = 0
    with zipfile.ZipFile(path) as book:
        for entry in book.infolist():
            # A zip bomb is refused by the size that it states, before any of it is unpacked.
            if entry.file_size > MAX_SHEET_CELLS * _MAX_XML_BYTES_PER_CELL:
                raise EtalageError(f"{path.name} unpacks to {entry.file_size} bytes; save it as .csv")
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", entry.filename):
                continue
            with book.open(entry) as file:
                overlap = b""
                while chunk := file.read(CHUNK_BYTES):
                    data = overlap + chunk
                    for letters, digits in _CELL_REFERENCE.findall(data):
                        num_rows = max(num_rows, int(digits))
                        num_columns = max(num_columns, _column_number(letters))
                    overlap = data[-_MAX_REFERENCE_BYTES:]
    if num_rows * num_columns > MAX_SHEET_CELLS:
        raise EtalageError(
            f"{path.name} has a sheet of {num_rows} x {num_columns} cells, at most {MAX_SHEET_CELLS} are read; "
            "save it as .csv"
        )


def _column_number(letters: bytes) -> int:
    """Return 1 for A, 26 for Z, 27 for AA."""
    return sum((letter - 64) * 26**power for power, letter in enumerate(reversed(letters)))


def _unreadable(path: Path, error: Exception) -> EtalageError:
    return EtalageError(f"{path.name} cannot be read as Excel: {error}; save it as .xlsx or .csv")
