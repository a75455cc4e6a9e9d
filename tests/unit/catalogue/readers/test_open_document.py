"""Merged cells, pictures and links of OpenDocument are read."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from etalage.catalogue.readers.excel import open_excel
from etalage.errors import EtalageError
from etalage.task import Field

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
