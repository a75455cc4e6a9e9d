"""Cells are as people see them: merged ones filled, numbers as numbers, formulas without values named."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from etalage.catalogue.readers.excel import open_excel
from etalage.catalogue.readers.raw_table import LinkedText
from etalage.errors import EtalageError

from .conftest import HEADER, PACKAGE, TITLE, Page, bags, read


def test_numbers_stay_numbers_without_decimals_of_whole_ones(write_pages: Callable) -> None:
    path = write_pages({"S": Page([["Name", "Code", "Price"], ["501", 4006381333931, 1.299], [True, "007", 4]])})
    assert read(open_excel(path)) == [["row 2", "501", 4006381333931, 1.299], ["row 3", True, "007", 4]]


def test_merged_cells_all_have_the_value_that_is_shown(write_pages: Callable) -> None:
    rows = [["Spring 2026"], ["Product", "", "Money", "Media"], HEADER, *bags("A", "B", "C", "D")]
    for row in rows[4:6]:
        row[1] = ""
    table = open_excel(write_pages({"S": Page(rows, merged=["A1:D1", "A2:B2", "B4:B6"])}))
    assert read(table, "Name", "Type") == [[f"row {n}", f"Bag {x}", "T"] for n, x in enumerate("ABCD", 4)]
    assert table.note == "row 3 names the columns; 2 lines above it skipped: 'Spring 2026'"


def test_a_header_of_two_merged_rows_is_the_lower_one(write_pages: Callable) -> None:
    rows = [["Name", "Type", "Price", "", "Image"], ["", "", "Net", "Gross", ""], ["Bag", "T", 1, 1.2, "a.png"]]
    table = open_excel(write_pages({"S": Page(rows, merged=["A1:A2", "B1:B2", "C1:D1", "E1:E2"])}))
    assert table.column_names == ["Name", "Type", "Net", "Gross", "Image"]
    assert read(table) == [["row 3", "Bag", "T", 1, 1.2, "a.png"]]


def test_a_name_merged_over_two_columns_is_that_of_the_first(write_pages: Callable) -> None:
    rows = [["Name", "Size", "", "Photo"], ["Bag", 3, 4, "a.png"]]
    table = open_excel(write_pages({"S": Page(rows, merged=["B1:C1"])}))
    assert table.column_names == ["Name", "Size", "", "Photo"]
    assert read(table, "Name", "Size", "Photo") == [["row 2", "Bag", 3, "a.png"]]


def test_formulas_without_a_stored_value_are_named_with_the_way_out(write_pages: Callable) -> None:
    prices = [
        "<><f>E2*1.2</f><v></v>",
        "<><f>E3*1.2</f><v/>",
        '< t="shared" si="0"/><f t="shared" si="0"/>',
        "<><f>1+1</f>",
    ]
    stored = ["<><f>E6*2</f><v>12.5</v>", '< t="str"><f>A1</f><v></v>']
    rows = [
        HEADER,
        *([f"Bag {n}", "T", price, f"{n}.png"] for n, price in enumerate([*prices[:2], prices[3], *stored])),
    ]
    table = open_excel(write_pages({"S": Page(rows)}))
    assert [row[1] for row in read(table, "Price")] == ["", "", "", 12.5, ""]
    assert "column 'Price' has 3 formulas without a value in the file (C2, C3, C4), read as empty" in table.note
    assert "open the file in Excel, save it" in table.note


def test_a_hyperlink_is_the_picture_of_a_cell_that_names_none(write_pages: Callable, read_rows: Callable) -> None:
    rows = [
        HEADER,
        ["Bag A", "T", 1.5, "Picture"],
        ["Bag B", "T", 2.5, "own.png"],
        ["Bag C", "T", 3.5, '< t="str"><f>HYPERLINK("https://x.example/c.png","Show")</f><v>Show</v>'],
        ["Bag D", "T", 4.5, '< t="e"><f>_xlfn.IMAGE("https://x.example/d.png")</f><v>#VALUE!</v>'],
        ["Bag E", "T", 5.5, "Picture"],
    ]
    links = {"A2": "https://x.example/bag-a", "D2": "https://x.example/a.png?w=1&h=2", "D3": "https://x.example/no.png"}
    found = read_rows(write_pages({"S": Page(rows, links=links)}), TITLE)
    assert [row.cells["title"] for row in found] == [f"Bag {x}" for x in "ABCDE"]
    assert [row.images for row in found] == [
        ("https://x.example/a.png?w=1&h=2",),
        ("own.png",),
        ("https://x.example/c.png",),
        ("https://x.example/d.png",),
        ("Picture",),
    ]
    assert isinstance(found[0].cells["title"], LinkedText)


def test_a_workbook_at_which_the_library_panics_is_refused(tmp_path: Path) -> None:
    name, relation = ("S", "r9")
    texts = b"".join(struct.pack("<I", len(text)) + text.encode("utf-16-le") for text in (relation, name))
    sheet = struct.pack("<II", 0, 1) + texts  # of a relation that is not there
    with zipfile.ZipFile(tmp_path / "t.xlsb", "w") as file:
        file.writestr("xl/workbook.bin", b"\x8f\x01\0\x9c\x01" + bytes([len(sheet)]) + sheet + b"\x90\x01\0")
        file.writestr("xl/_rels/workbook.bin.rels", f'<Relationships xmlns="{PACKAGE}/relationships"/>')
    with pytest.raises(EtalageError, match=r"t\.xlsb cannot be read as Excel"):
        open_excel(tmp_path / "t.xlsb")
