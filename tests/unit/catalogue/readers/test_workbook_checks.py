"""Files that only have the name of a workbook, or would fill the memory, are refused by name."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from etalage.catalogue.readers.excel import open_excel
from etalage.catalogue.readers.workbook_checks import unread_note
from etalage.errors import EtalageError


def test_refuses_a_sheet_that_would_fill_the_memory(
    tmp_path: Path, open_table: Callable, write_workbook: Callable
) -> None:
    path = write_workbook(tmp_path / "t.xlsx", {"A1": "title", "XFD1048576": "far"})
    with pytest.raises(EtalageError, match="1048576 x 16384 cells, at most"):
        open_table(path)


def test_says_what_to_install_without_python_calamine(
    monkeypatch: pytest.MonkeyPatch, write_file: Callable, open_table: Callable
) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(EtalageError, match=r"pip install etalage\[excel\]"):
        open_table(write_file(b"PK", "t.xlsx"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"<html><table><tr><td>Name</td></tr></table></html>", "is a web page and no workbook"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "is XML and no workbook"),
        (b"Name\tPrice\tImage\nA\t1\ta.png\n", r"is text and no workbook; rename it to t\.csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "cannot be read as Excel"),
    ],
)
def test_says_what_a_file_is_that_only_has_the_name_of_a_workbook(
    text: bytes, complaint: str, write_file: Callable
) -> None:
    with pytest.raises(EtalageError, match=complaint):
        open_excel(write_file(text, "t.xls"))


def test_tells_of_pictures_in_formats_from_which_they_are_not_read(tmp_path: Path, write_file: Callable) -> None:
    assert "not read from .xls" in unread_note(write_file(b"\xd0\xcf" + b"\0" * 99 + b"\x89PNG\r\n\x1a\n", "t.xls"))
    assert unread_note(write_file(b"\xd0\xcf" + b"\0" * 99, "u.xls")) == ""
