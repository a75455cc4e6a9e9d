"""Workbooks are read as people keep them: several sheets, merged cells, titles, links, formulas and pictures."""

import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from etalage.catalogue.readers.excel import open_excel
from etalage.catalogue.readers.raw_table import LinkedText, RawTable
from etalage.catalogue.readers.workbook_checks import unread_note
from etalage.catalogue.table import Row
from etalage.errors import EtalageError
from etalage.task import Field

from .conftest import Page

HEADER = ["Name", "Type", "Price", "Image"]
TITLE = [Field("title", "text")]


def bags(*letters: str) -> list[list[Any]]:
    """Rows of products."""
    return [[f"Bag {letter}", "T", 9.5 + n, f"{letter}.png"] for n, letter in enumerate(letters)]


def read(table: RawTable, *columns: str) -> list[list[Any]]:
    """The cells of some columns, each row after its place."""
    rows = enumerate(table.read_rows(columns or table.column_names), 1)
    return [[table.place_of(number), *row] for number, row in rows]


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


def test_numbers_stay_numbers_without_decimals_of_whole_ones(write_pages: Callable) -> None:
    path = write_pages({"S": Page([["Name", "Code", "Price"], ["501", 4006381333931, 1.299], [True, "007", 4]])})
    assert read(open_excel(path)) == [["row 2", "501", 4006381333931, 1.299], ["row 3", True, "007", 4]]


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


# Sheets


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


def test_the_sheet_with_pictures_is_read_and_others_are_named(write_pages: Callable) -> None:
    codes = Page([["Code", "Meaning"], ["T", "Bags"], ["U", "Hats"]])
    table = open_excel(write_pages({"Codes": codes, "Products": Page([HEADER, *bags("A", "B")]), "Empty": Page()}))
    assert read(table, "Name") == [["sheet 'Products' row 2", "Bag A"], ["sheet 'Products' row 3", "Bag B"]]
    left_out = "not read: 'Codes' (2 rows), 'Empty' (empty); --sheet NAME reads another"
    assert table.note == f"read: sheet 'Products' (2 rows); {left_out}"


def test_only_workbooks_and_json_have_sheets(write_file: Callable, open_table: Callable) -> None:
    with pytest.raises(EtalageError, match="has no sheets, and --sheet is all"):
        open_table(write_file("title,image\nA,a\n"), sheet="all")


# Cells


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


# Pictures


def test_pictures_over_cells_are_the_cells_of_their_column(write_pages: Callable, read_rows: Callable) -> None:
    rows = [["Autumn"], ["Name", "Photo"], ["Bag A"], ["Bag B"], ["Bag C"]]
    # The first is a logo; the third begins at the lower edge of the row above.
    floating = [(0, 0, 0, b"logo"), (2, 1, 0, b"a"), (2, 1, 185_000, b"b"), (4, 1, 9_000, b"c"), (4, 1, 9_000, b"d")]
    path = write_pages({"S": Page(rows, floating=floating)})
    assert [row.images for row in read_rows(path, TITLE)] == [(b"a",), (b"b",), (b"c", b"d")]
    assert open_excel(path).column_names == ["Name", "Photo"]


def test_pictures_over_texts_or_beside_the_table_have_a_column_of_their_own(
    write_pages: Callable, read_rows: Callable
) -> None:
    rows = [["Name", "Price"], ["Bag A", 1.5], ["Bag B", 2.5]]
    for column in (0, 5):
        path = write_pages({"S": Page(rows, floating=[(1, column, 0, b"a"), (2, column, 0, b"b")])})
        assert open_excel(path).column_names == ["Name", "Price", "embedded_image"]
        assert [row.images for row in read_rows(path, TITLE)] == [(b"a",), (b"b",)]


def test_a_column_of_paths_is_used_rather_than_pictures_beside_it(write_pages: Callable, read_rows: Callable) -> None:
    path = write_pages({"S": Page([HEADER, *bags("A", "B")], floating=[(1, 5, 0, b"a")])})
    assert [row.images for row in read_rows(path, TITLE)] == [("A.png",), ("B.png",)]


def test_pictures_that_are_too_large_are_cut(write_pages: Callable) -> None:
    path = write_pages({"S": Page([["Name", "Photo"], ["A"]], floating=[(1, 1, 0, b"x" * 1000)])})
    assert read(open_excel(path, max_image_bytes=100), "Photo") == [["row 2", [b"x" * 101]]]


def test_pictures_placed_in_cells_are_read(write_pages: Callable, read_rows: Callable) -> None:
    value = "<v>#VALUE!</v>"
    rows = [["Name", "Photo"], *([f"Bag {n}", f'< t="e" vm="{n}">{value}'] for n in (2, 1, 9))]
    image = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
    parts = {
        "xl/metadata.xml": '<metadata><futureMetadata name="XLRICHVALUE"><bk><ext><xlrd:rvb i="0"/></ext></bk><bk><ext>'
        '<xlrd:rvb i="1"/></ext></bk></futureMetadata><valueMetadata><bk><rc t="1" v="0"/></bk><bk><rc t="1" v="1"/>'
        "</bk></valueMetadata></metadata>",
        "xl/richData/rdrichvalue.xml": '<rvData><rv s="0"><v>0</v><v>5</v></rv><rv s="0"><v>1</v></rv></rvData>',
        "xl/richData/rdrichvaluestructure.xml": '<rvStructures><s t="_localImage"><k n="_rvRel:LocalImageIdentifier"/>'
        '<k n="CalcOrigin"/></s></rvStructures>',
        "xl/richData/richValueRel.xml": '<richValueRels><rel r:id="a"/><rel r:id="b"/></richValueRels>',
        "xl/richData/_rels/richValueRel.xml.rels": f'<Relationships><Relationship Id="a" Type="{image}" '
        f'Target="../media/1.png"/><Relationship Id="b" Type="{image}" Target="../media/2.png"/></Relationships>',
        "xl/media/1.png": b"one",
        "xl/media/2.png": b"two",
    }
    path = write_pages({"S": Page(rows)}, parts)
    assert [row.images for row in read_rows(path, TITLE)] == [(b"two",), (b"one",), ()]


def test_pictures_placed_in_cells_by_wps_are_read(write_pages: Callable, read_rows: Callable) -> None:
    rows = [["Name", "Photo"], ["Bag A", '< t="str"><f>_xlfn.DISPIMG("ID_1",1)</f><v>=DISPIMG("ID_1",1)</v>']]
    image = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
    parts = {
        "xl/cellimages.xml": '<etc:cellImages><etc:cellImage><xdr:pic><xdr:cNvPr name="ID_1"/><a:blip r:embed="a"/>'
        "</xdr:pic></etc:cellImage></etc:cellImages>",
        "xl/_rels/cellimages.xml.rels": f'<Relationships><Relationship Id="a" Type="{image}" Target="media/1.png"/>'
        "</Relationships>",
        "xl/media/1.png": b"one",
    }
    assert read_rows(write_pages({"S": Page(rows)}, parts), TITLE)[0].images[0] == b"one"


def test_a_name_merged_over_two_columns_is_that_of_the_first(write_pages: Callable) -> None:
    rows = [["Name", "Size", "", "Photo"], ["Bag", 3, 4, "a.png"]]
    table = open_excel(write_pages({"S": Page(rows, merged=["B1:C1"])}))
    assert table.column_names == ["Name", "Size", "", "Photo"]
    assert read(table, "Name", "Size", "Photo") == [["row 2", "Bag", 3, "a.png"]]


def test_tells_of_pictures_in_formats_from_which_they_are_not_read(tmp_path: Path, write_file: Callable) -> None:
    assert "not read from .xls" in unread_note(write_file(b"\xd0\xcf" + b"\0" * 99 + b"\x89PNG\r\n\x1a\n", "t.xls"))
    assert unread_note(write_file(b"\xd0\xcf" + b"\0" * 99, "u.xls")) == ""


# OpenDocument

TABLE = 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'


def ods_cell(value: Any, attributes: str = "") -> str:
    """The XML of a cell with a text, or with what is given as XML."""
    inner = value if str(value).startswith("<") else f"<text:p>{value}</text:p>"
    return f'<table:table-cell office:value-type="string" {attributes}>{inner}</table:table-cell>'


def write_ods(path: Path, rows: Sequence[str], parts: Mapping[str, bytes]) -> Path:
    """Write an .ods file with one sheet."""
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    namespaces = f'xmlns:office="{office}" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" {TABLE}'
    content = (
        f'<office:document-content {namespaces} xmlns:draw="urn:draw" xmlns:xlink="urn:xlink"><office:body>'
        f'<office:spreadsheet><table:table table:name="S">{"".join(rows)}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("META-INF/manifest.xml", manifest)
        file.writestr("content.xml", content)
        for name, data in parts.items():
            file.writestr(name, data)
    return path


def test_merged_cells_and_pictures_of_open_document_are_read(tmp_path: Path, read_rows: Callable) -> None:
    frame = '<draw:frame><draw:image xlink:href="Pictures/{}.png"/></draw:frame><text:p/>'
    link = '<text:p><text:a xlink:href="https://x.example/c.png">Show</text:a></text:p>'
    rows = [
        [ods_cell("Name"), ods_cell("Type"), ods_cell("Photo")],
        [ods_cell("A"), ods_cell("T", 'table:number-rows-spanned="2"'), ods_cell(frame.format("a"))],
        [ods_cell("B"), "<table:covered-table-cell/>", ods_cell(frame.format("b"))],
        [ods_cell("C"), ods_cell("U"), ods_cell(link)],
    ]
    lines = [f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows]
    path = write_ods(tmp_path / "t.ods", lines, {"Pictures/a.png": b"a", "Pictures/b.png": b"b"})
    found = read_rows(path, [Field("title", "text"), Field("category", "category")])
    assert [list(row.cells.values()) for row in found] == [["A", "T"], ["B", "T"], ["C", "U"]]
    assert [row.images for row in found] == [(b"a",), (b"b",), ("https://x.example/c.png",)]


def test_refuses_an_open_document_that_would_fill_the_memory(tmp_path: Path) -> None:
    cell = ods_cell("far", 'table:number-columns-repeated="16384"')
    empty = '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/></table:table-row>'
    lines = [f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>', empty]
    with pytest.raises(EtalageError, match="1000000 x 16384 cells, at most"):
        open_excel(write_ods(tmp_path / "t.ods", lines, {}))
