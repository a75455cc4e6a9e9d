"""What is checked of a workbook before it is read: that it is one, and that it does not fill the memory."""

import re
import zipfile
from pathlib import Path

from etalage.catalogue.readers.open_document import CONTENT_PART, document_size
from etalage.catalogue.readers.raw_table import CHUNK_BYTES
from etalage.catalogue.readers.workbook import BROKEN_ZIP, Workbook, cell_position
from etalage.errors import EtalageError

__all__ = ["MAX_SHEET_CELLS", "check_workbook", "unread_note", "unreadable_workbook"]

MAX_SHEET_CELLS = 50_000_000
"""The largest sheet that is read. It is held in memory with every cell from the first to the last, filled or empty."""

_MAX_XML_BYTES_PER_CELL = 40
_PICTURE_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1")
# Each repeat is bounded, so that no match is longer than the overlap of two chunks.
_CELL_REFERENCE = re.compile(rb'<(?:\w{1,9}:)?c [^<>]{0,200}?r="([A-Z]{1,3}\d{1,7})"')
_MAX_REFERENCE_BYTES = 256
"""At least as long as any match of `_CELL_REFERENCE`, so that one is found where two chunks meet."""


def check_workbook(path: Path) -> None:
    """Refuse a file that only has the name of a workbook, or that would fill the memory.

    Raises:
        EtalageError: It is such a file, or python-calamine is not installed.
    """
    try:
        import python_calamine  # noqa: F401
    except ModuleNotFoundError as error:
        raise EtalageError(f"{path.name}: reading Excel needs one more package; pip install etalage[excel]") from error
    with path.open("rb") as file:
        head = file.read(4096)
    # Shop systems write web pages and text under the name of a workbook, and Excel opens them.
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<style")):
        raise EtalageError(f"{path.name} is a web page and no workbook; open it in Excel and save it as .xlsx")
    if start.startswith(b"<"):
        raise EtalageError(f"{path.name} is XML and no workbook; open it in Excel and save it as .xlsx")
    if len(head) > 8 and all(byte >= 32 or byte in b"\t\r\n" for byte in head) and not head.startswith(b"PK"):
        raise EtalageError(f"{path.name} is text and no workbook; rename it to {path.stem}.csv")
    try:
        _check_size(path)
    except BROKEN_ZIP as error:
        raise unreadable_workbook(path, error) from error


def unread_note(path: Path) -> str:
    """Return what to tell of a workbook in a format of which less is read than of .xlsx; empty if nothing."""
    if zipfile.is_zipfile(path):
        is_binary = path.suffix.lower() == ".xlsb"
        return "of .xlsb, pictures and merged cells are not read; save it as .xlsx if it has some" * is_binary
    with path.open("rb") as file:
        overlap = b""
        while chunk := file.read(CHUNK_BYTES):
            if any(mark in overlap + chunk for mark in _PICTURE_MARKS):
                return "it holds pictures, which are not read from .xls; save it as .xlsx"
            overlap = chunk[-8:]
    return ""


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
                    for reference in _CELL_REFERENCE.findall(data):
                        row, column = cell_position(reference.decode()) or (0, 0)
                        num_rows, num_columns = max(num_rows, row + 1), max(num_columns, column + 1)
                    overlap = data[-_MAX_REFERENCE_BYTES:]
        if CONTENT_PART in book.namelist():
            num_rows, num_columns = document_size(Workbook(path))
    if num_rows * num_columns > MAX_SHEET_CELLS:
        raise EtalageError(
            f"{path.name} has a sheet of {num_rows} x {num_columns} cells, at most {MAX_SHEET_CELLS} are read; "
            "save it as .csv"
        )


def unreadable_workbook(path: Path, error: BaseException) -> EtalageError:
    """Return the error to raise for a workbook that cannot be read.

    Args:
        path: The workbook.
        error: The error that the library raised.
    """
    return EtalageError(f"{path.name} cannot be read as Excel: {error}; save it as .xlsx or .csv")
