"""Helpers for tests that read sources and prepare catalogues."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from etalage.catalogue.sources import Source, open_source
from etalage.catalogue.store import Catalogue
from etalage.catalogue.table import Row, Table, read_table
from etalage.commands import prepare as prepare_command
from etalage.config import PrepareConfig
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@pytest.fixture
def write_file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file into the test's folder."""

    def write(text: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def open_table() -> Callable[..., tuple[Source, Table]]:
    """Return a function that opens a source and matches its columns."""

    def open_(source: Path | str, fields: list[Field] = FIELDS, **settings: Any) -> tuple[Source, Table]:
        config = PrepareConfig(str(source), Path("unused"), **settings)
        opened = open_source(str(source), config)
        assert not Path(opened.name).is_absolute()
        return opened, read_table(opened, fields, config)

    return open_


@pytest.fixture
def read_rows(open_table: Callable[..., tuple[Source, Table]]) -> Callable[..., list[Row]]:
    """Return a function that reads all rows of a source, twice."""

    def read(source: Path | str, fields: list[Field] = FIELDS, **settings: Any) -> list[Row]:
        table = open_table(source, fields, **settings)[1]
        rows = list(table)
        assert rows == list(table), "reading is repeatable"
        return rows

    return read


@pytest.fixture
def write_tar() -> Callable[..., Path]:
    """Return a function that writes a tar with these members."""

    def write(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
        with tarfile.open(path, mode) as file:  # type: ignore[call-overload]
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                file.addfile(info, io.BytesIO(data))
        return path

    return write


@pytest.fixture
def write_workbook() -> Callable[..., Path]:
    """Return a function that writes the smallest .xlsx with these cells, each given with its place."""

    def write(path: Path, cells: Mapping[str, str | float]) -> Path:
        by_row: dict[str, str] = {}
        for place, value in cells.items():
            inner = f"<v>{value}</v>" if isinstance(value, float) else f"<is><t>{value}</t></is>"
            kind = "" if isinstance(value, float) else ' t="inlineStr"'
            row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            by_row[row] = by_row.get(row, "") + f'<c r="{place}"{kind}>{inner}</c>'
        sheet = "".join(f'<row r="{row}">{inner}</row>' for row, inner in by_row.items())
        parts = {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets><sheet name="S" sheetId="1" '
            'r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}"><sheetData>{sheet}</sheetData></worksheet>',
        }
        with zipfile.ZipFile(path, "w") as file:
            for name, text in parts.items():
                file.writestr(name, text)
        return path

    return write


@pytest.fixture
def prepare_config(tmp_path: Path) -> PrepareConfig:
    """A table with twelve good rows on eleven pictures, and a bad one; its product codes look like paths."""
    lines = ["product_code,title,category,price,image"]
    for n in range(12):
        Image.new("RGB", (10 + n, 12), (20 * n, 0, 0)).save(tmp_path / f"{n}.png")
        lines.append(f"../../x{n:03d},Scarf {chr(65 + n)}{n},{'AB'[n % 2]},{100 + n}.5,{max(n, 1)}.png")
    lines.append("007,Cap,A,dear,1.png")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    return PrepareConfig(str(tmp_path / "t.csv"), tmp_path / "out" / "catalogue")


def prepare(config: PrepareConfig) -> Catalogue:
    """Prepare a catalogue and load it."""
    prepare_command.prepare(config)
    return Catalogue.load(config.out)
