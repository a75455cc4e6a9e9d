"""The first sheet of a workbook is read, unless it would fill the memory."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from etalage.catalogue.table import Row
from etalage.errors import EtalageError


def test_reads_the_first_sheet_from_its_first_filled_row(
    tmp_path: Path,
    read_rows: Callable,
    open_table: Callable,
    write_workbook: Callable,
) -> None:
    names = {"B3": "Title", "C3": "Category", "D3": "Price", "E3": "Image", "F3": "SKU"}
    first = {"B4": "A", "C4": "X", "D4": 990.0, "E4": "a.png", "F4": "00123"}
    third = {"B6": "C", "D6": 1290.5, "F6": 7.0}
    path = write_workbook(tmp_path / "t.xlsx", {**names, **first, **third, "B9": " "})
    found = read_rows(path)
    assert found[:3] == [
        Row(1, "00123", "a.png", {"title": "A", "category": "X", "price": "990"}),
        Row(2, "2", "", {"title": "", "category": "", "price": ""}),
        Row(3, "7", "", {"title": "C", "category": "", "price": "1290.5"}),
    ]
    with pytest.raises(EtalageError, match="no rows"):
        open_table(write_workbook(tmp_path / "header.xlsx", names))
    with pytest.raises(EtalageError, match="is empty"):
        open_table(write_workbook(tmp_path / "empty.xlsx", {}))


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
