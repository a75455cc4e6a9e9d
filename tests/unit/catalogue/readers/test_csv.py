"""CSV is read whatever its delimiter and encoding, and a broken file is refused with the place of the damage."""

from collections.abc import Callable
from pathlib import Path

import pytest

from etalage.catalogue.readers.raw_table import MAX_CELL_CHARS
from etalage.catalogue.table import Row
from etalage.errors import EtalageError

HEADER = "product_code,title,category3_code,full_price,imageurl\n"


def test_keeps_codes_as_written_and_line_breaks_in_cells(
    tmp_path: Path,
    write_file: Callable,
    read_rows: Callable,
    open_table: Callable,
) -> None:
    text = "\ufeff" + HEADER + '00123,"A, ""quoted""\nshirt",SHIRTS,990.0,a.png\n\n,B,,,\n'
    path = write_file(text)
    assert read_rows(path) == [
        Row(1, "00123", "a.png", {"title": 'A, "quoted"\nshirt', "category": "SHIRTS", "price": "990.0"}),
        Row(2, "2", "", {"title": "B", "category": "", "price": ""}),
    ]
    source, table = open_table(path)
    assert (source.name, source.kind, source.folder, source.note) == ("table.csv", "csv", tmp_path, "")
    assert source.column_names == HEADER.strip().split(",")
    assert table.guessed == frozenset()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp1250"])
def test_reads_any_encoding_with_any_delimiter(
    delimiter: str, encoding: str, write_file: Callable, open_table: Callable
) -> None:
    title = "Żółta koszula" if encoding == "cp1250" else "Chemise d’été à carreaux"
    lines = [
        ["titre", "catégorie", "prix", "photo", "réf"],
        [f'"{title}{delimiter}\nbis"', "HAUTS", '"12,50 €"', "a", "00"],
    ]
    if encoding == "cp1250":
        lines[0] = ["title", "category", "price", "image", "sku"]
    path = write_file("\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    source, table = open_table(path, columns="product_code=réf" if encoding != "cp1250" else "")
    texts = {"title": f"{title}{delimiter}\nbis", "category": "HAUTS", "price": "12,50 €"}
    assert list(table) == [Row(1, "00", "a", texts)]
    guessed = encoding in ("cp1252", "cp1250", "utf-16-le")
    assert (f"read as {encoding}, which was guessed" in source.note) == guessed


def test_reads_semicolons_with_decimal_commas_and_the_hint_of_excel(
    write_file: Callable,
    read_rows: Callable,
    open_table: Callable,
) -> None:
    text = "titel;preis;typ;bild\nHose, lang;12,50;X;a.png\nRock, kurz;1.299,00;X;b.png\n"
    path = write_file(text)
    assert [row.cells["price"] for row in read_rows(path)] == ["12,50", "1.299,00"]
    assert open_table(path)[0].note == "cells are separated by ';'"
    assert read_rows(write_file("sep=;\r\n" + text.replace("\n", "\r\n"))) == read_rows(path)
    tabs = write_file(text.replace(";", "\t"), "table.tsv")
    assert read_rows(tabs) == read_rows(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (HEADER.encode(), "no rows"),
        (b"title,title,price\n1,2,3\n", "'title' stands there twice"),
        (HEADER.encode() + b"1,A,X,5,a.png\n2,B,X,5\n", r"row 2 \(line 3\) has 4 cells where the header has 5"),
        (HEADER.encode() + b"1,A,X,5,a.png,more\n", r"row 1 \(line 2\) has 6 cells"),
        (HEADER.encode() + b'1,"A,X,5,a.png\n2,B,X,5,b.png\n', r"row 1 \(to line 3\): unexpected end of data"),
        ((HEADER + "1,cafétéria é").encode() + b"\xe9,X,5,a.png\n", r"not UTF-8: byte 70 \(0xe9\) on line 2"),
        (HEADER.encode("utf-16") + b"\x00\xd8", "cannot be read as utf-16"),
    ],
)
def test_refuses_broken_files_with_the_place_of_the_damage(
    text: bytes, complaint: str, write_file: Callable, read_rows: Callable
) -> None:
    path = write_file(text)
    with pytest.raises(EtalageError, match=complaint) as caught:
        read_rows(path)
    assert path.name in str(caught.value)


def test_reads_a_huge_cell_and_a_nul(write_file: Callable, open_table: Callable) -> None:
    assert MAX_CELL_CHARS > 10_000_000
    text = HEADER + f"1,{'x' * 10_000_000},X,5,a.png\n2,B\0,X,5,b.png\n"
    assert [len(row.cells["title"]) for row in open_table(write_file(text))[1]] == [10_000_000, 2]
