"""Of several sheets the one that is meant is read, and all others are named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from etalage.catalogue.readers.excel import open_excel
from etalage.catalogue.table import Row
from etalage.errors import EtalageError

from .conftest import HEADER, Page, bags, read


def test_reads_from_the_first_filled_row_and_shows_the_rows_of_the_spreadsheet(
    tmp_path: Path, read_rows: Callable, open_table: Callable, write_workbook: Callable
) -> None:
    names = {"B3": "Title", "C3": "Category", "D3": "Price", "E3": "Image", "F3": "SKU"}
    first = {"B4": "A", "C4": "X", "D4": 990.0, "E4": "a.png", "F4": "00123"}
    third = {"B6": "C", "D6": 1290.5, "F6": 7.0}
    path = write_workbook(tmp_path / "t.xlsx", {**names, **first, **third, "B9": " "})
    assert read_rows(path) == [
        Row(1, "row 4", "00123", ("a.png",), {"title": "A", "category": "X", "price": 990}),
        Row(2, "row 6", "7", (), {"title": "C", "category": "", "price": 1290.5}),
    ]
    with pytest.raises(EtalageError, match="no rows"):
        open_table(write_workbook(tmp_path / "header.xlsx", names))
    with pytest.raises(EtalageError, match="is empty"):
        open_table(write_workbook(tmp_path / "empty.xlsx", {}))


def test_sheets_with_the_same_columns_are_read_only_as_the_user_says(write_pages: Callable) -> None:
    pages = {
        "Men": Page([HEADER, *bags("A", "B")]),
        "Read me": Page([["Ask the office."]]),
        "Women": Page([["Our range"], [], [*HEADER[::-1]], *(row[::-1] for row in bags("C"))]),
        "Old": Page([HEADER, *bags("Z")], state="hidden"),
        "Sizes": Page([["Size", "cm"], ["S", 10]]),
    }
    path = write_pages(pages)
    with pytest.raises(EtalageError, match=r"2 sheets .*'Men' \(2 rows\), 'Women' \(1 row\).*--sheet all.*--sheet Men"):
        open_excel(path)
    table = open_excel(path, "all")
    assert table.column_names == [*HEADER, "sheet"]
    expected = [
        ["sheet 'Men' row 2", "Bag A", "Men"],
        ["sheet 'Men' row 3", "Bag B", "Men"],
        ["sheet 'Women' row 4", "Bag C", "Women"],
    ]
    assert read(table, "Name", "sheet") == read(table, "Name", "sheet") == expected
    assert "not read: 'Read me' (1 row), 'Old' (1 row, hidden), 'Sizes' (1 row); their columns differ" in table.note
    assert [row[1] for row in read(open_excel(path, "women"), "Name")] == ["Bag C"]
    assert [row[1] for row in read(open_excel(path, "Old"), "Name")] == ["Bag Z"]
    with pytest.raises(EtalageError, match="has no sheet 'Kids'; its sheets are 'Men'"):
        open_excel(path, "Kids")


def test_the_first_product_is_not_taken_for_names(write_pages: Callable) -> None:
    with pytest.raises(EtalageError, match=r"row 1 should name the columns, but holds 'A\.png'"):
        open_excel(write_pages({"S": Page(bags("A", "B"))}))


def test_sheets_are_joined_by_names_whatever_their_capitals(write_pages: Callable) -> None:
    upper = [name.upper() for name in HEADER]
    path = write_pages({"Men": Page([HEADER, *bags("A")]), "Women ": Page([upper, *bags("B")])})
    assert [row[1:] for row in read(open_excel(path, "all"))] == [
        ["Bag A", "T", 9.5, "A.png", "Men"],
        ["Bag B", "T", 9.5, "B.png", "Women "],
    ]
    assert [row[1] for row in read(open_excel(path, "women"), "NAME")] == ["Bag B"]


def test_pictures_of_joined_sheets_are_read_whatever_their_capitals(write_pages: Callable) -> None:
    men = Page([["Name", "Photo"], ["Bag A"]], floating=[(1, 1, 0, b"a")])
    women = Page([["NAME", "PHOTO"], ["Bag B"]], floating=[(1, 1, 0, b"b")])
    rows = read(open_excel(write_pages({"Men": men, "Women": women}), "all"), "Name", "Photo")
    assert [row[1:] for row in rows] == [["Bag A", [b"a"]], ["Bag B", [b"b"]]]


def test_the_sheet_with_pictures_is_read_and_others_are_named(write_pages: Callable) -> None:
    codes = Page([["Code", "Meaning"], ["T", "Bags"], ["U", "Hats"]])
    table = open_excel(write_pages({"Codes": codes, "Products": Page([HEADER, *bags("A", "B")]), "Empty": Page()}))
    assert read(table, "Name") == [["sheet 'Products' row 2", "Bag A"], ["sheet 'Products' row 3", "Bag B"]]
    left_out = "not read: 'Codes' (2 rows), 'Empty' (empty); --sheet NAME reads another"
    assert table.note == f"read: sheet 'Products' (2 rows); {left_out}"


def test_only_workbooks_and_json_have_sheets(write_file: Callable, open_table: Callable) -> None:
    with pytest.raises(EtalageError, match="has no sheets, and --sheet is all"):
        open_table(write_file("title,image\nA,a\n"), sheet="all")
