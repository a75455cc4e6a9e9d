"""A writer of small workbooks with what people do in them."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pytest

from etalage.catalogue.readers.raw_table import RawTable
from etalage.task import Field

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass
class Page:
    """A sheet to write."""

    rows: Sequence[Sequence[Any]] = ()
    """Its cells from A1 on; one that begins with `<` is the inside of a cell element, after its attributes and >."""
    merged: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """Targets of hyperlinks by cell."""
    floating: Sequence[tuple[int, int, int, bytes]] = ()
    """Row, column, offset into the row in EMU, and picture of each anchor; rows and columns from 0."""
    state: str = "visible"


def letter(column: int) -> str:
    """The name of one of the first columns."""
    return chr(65 + column)


def cell_xml(reference: str, value: Any) -> str:
    """The XML of a cell."""
    if isinstance(value, bool):
        return f'<c r="{reference}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{reference}"><v>{value}</v></c>'
    if isinstance(value, str) and value.startswith("<"):
        return f'<c r="{reference}"{value[1:]}</c>'
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>' if value else ""


def relations_xml(relations: Sequence[tuple[str, str, str]]) -> str:
    """The XML of relations: pairs of a kind and a target, r1 the first."""
    inner = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/{kind}" Target="{escape(target)}"{mode}/>'
        for n, (kind, target, mode) in enumerate(relations, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{inner}</Relationships>'


EXTERNAL = ' TargetMode="External"'


def sheet_files(number: int, page: Page) -> dict[str, str | bytes]:
    """The parts of a sheet."""
    rows = "".join(
        f'<row r="{n}">' + "".join(cell_xml(f"{letter(c)}{n}", value) for c, value in enumerate(row)) + "</row>"
        for n, row in enumerate(page.rows, 1)
    )
    merged = "".join(f'<mergeCell ref="{ref}"/>' for ref in page.merged)
    links = "".join(f'<hyperlink ref="{ref}" r:id="r{n}"/>' for n, ref in enumerate(page.links, 1))
    sheet = (
        f'<worksheet xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheetData>{rows}</sheetData>'
        + f"<mergeCells>{merged}</mergeCells>" * bool(merged)
        + f"<hyperlinks>{links}</hyperlinks>" * bool(links)
        + "</worksheet>"
    )
    drawing = f"../drawings/drawing{number}.xml"
    relations = [("hyperlink", url, EXTERNAL) for url in page.links.values()]
    relations += [("drawing", drawing, "")] * bool(page.floating)
    files: dict[str, str | bytes] = {
        f"xl/worksheets/sheet{number}.xml": sheet,
        f"xl/worksheets/_rels/sheet{number}.xml.rels": relations_xml(relations),
    }
    anchors = ""
    for n, (row, column, offset, data) in enumerate(page.floating, 1):
        files[f"xl/media/s{number}_{n}.png"] = data
        anchors += (
            f"<xdr:oneCellAnchor><xdr:from><xdr:col>{column}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>{row}</xdr:row>"
            f"<xdr:rowOff>{offset}</xdr:rowOff></xdr:from><xdr:pic><xdr:blipFill>"
            f'<a:blip r:embed="r{n}"/></xdr:blipFill></xdr:pic></xdr:oneCellAnchor>'
        )
    if page.floating:
        files[f"xl/drawings/drawing{number}.xml"] = f"<xdr:wsDr>{anchors}</xdr:wsDr>"
        media = [("image", f"../media/s{number}_{n}.png", "") for n in range(1, len(page.floating) + 1)]
        files[f"xl/drawings/_rels/drawing{number}.xml.rels"] = relations_xml(media)
    return files


HEADER = ["Name", "Type", "Price", "Image"]
TITLE = [Field("title", "text")]


def bags(*letters: str) -> list[list[Any]]:
    """Rows of products."""
    return [[f"Bag {letter}", "T", 9.5 + n, f"{letter}.png"] for n, letter in enumerate(letters)]


def read(table: RawTable, *columns: str) -> list[list[Any]]:
    """The cells of some columns, each row after its place."""
    rows = enumerate(table.read_rows(columns or table.column_names), 1)
    return [[table.place_of(number), *row] for number, row in rows]


@pytest.fixture
def write_pages(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes an .xlsx file with some sheets, and other parts as they are given."""

    def write(pages: Mapping[str, Page], parts: Mapping[str, str | bytes] | None = None, name: str = "t.xlsx") -> Path:
        sheets = "".join(
            f'<sheet name="{escape(title)}" sheetId="{n}" state="{page.state}" r:id="r{n}"/>'
            for n, (title, page) in enumerate(pages.items(), 1)
        )
        files: dict[str, str | bytes] = {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/></Types>',
            "_rels/.rels": relations_xml([("officeDocument", "xl/workbook.xml", "")]),
            "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relations_xml(
                [("worksheet", f"worksheets/sheet{n}.xml", "") for n in range(1, len(pages) + 1)]
            ),
        }
        for number, page in enumerate(pages.values(), 1):
            files |= sheet_files(number, page)
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            for part, content in {**files, **(parts or {})}.items():
                file.writestr(part, content)
        return tmp_path / name

    return write
