"""CSV is read whatever its delimiter and encoding, and a broken file is refused with the place of the damage."""

from collections.abc import Callable
from pathlib import Path

import pytest

from etalage.catalogue.readers.csv import open_csv
from etalage.catalogue.readers.raw_table import MAX_CELL_CHARS, RawTable, UnreadableRow
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
        Row(1, "row 2", "00123", ("a.png",), {"title": 'A, "quoted"\nshirt', "category": "SHIRTS", "price": "990.0"}),
        Row(2, "row 4", "2", (), {"title": "B", "category": "", "price": ""}),
    ]
    source, table = open_table(path)
    assert (source.name, source.kind, source.folder, source.note) == ("table.csv", "csv", tmp_path, "")
    assert source.column_names == HEADER.strip().split(",")
    assert table.match.guessed == frozenset()


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
    assert list(table) == [Row(1, "row 2", "00", ("a",), texts)]
    guessed = encoding in ("cp1252", "cp1250", "utf-16-le")
    assert (f"read as {encoding}, which was guessed" in source.note) == guessed
    shown = "('Żółta')" if encoding == "cp1250" else "('à' and 'catégorie')"
    assert (f"if accents look wrong {shown}" in source.note) == guessed


def test_reads_semicolons_with_decimal_commas_and_the_hint_of_excel(
    write_file: Callable,
    read_rows: Callable,
    open_table: Callable,
) -> None:
    text = "titel;preis;typ;bild\nHose, lang;12,50;X;a.png\nRock, kurz;1.299,00;X;b.png\n"
    path = write_file(text)
    assert [row.cells["price"] for row in read_rows(path)] == ["12,50", "1.299,00"]
    assert open_table(path)[0].note == "cells are separated by ';'"
    hinted = read_rows(write_file("sep=;\r\n" + text.replace("\n", "\r\n"), "hinted.csv"))
    assert [row.place for row in hinted] == ["row 3", "row 4"]
    assert [row.cells for row in hinted] == [row.cells for row in read_rows(path)]
    tabs = write_file(text.replace(";", "\t"), "table.tsv")
    assert read_rows(tabs) == read_rows(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (HEADER.encode(), "no rows"),
        (b"title,title,price\n1,2,3\n", "'title' stands there twice"),
        (b"Bag A,X,5,a.png\nBag B,X,6,b.png\n", r"row 1 should name the columns, but holds 'a\.png'"),
        (b"PK\x03\x04 and more", r"is no text but a workbook or a zip; rename it to \.xlsx"),
        (b"PAR1 and more", r"rename it to \.parquet"),
        (b"\x1f\x8b and more", "is no text but packed with gzip"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "is a web page, perhaps one that asks to log in"),
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


def titles(table: RawTable) -> list[str]:
    """The first cell of each row, or in brackets why it cannot be read; each with its place."""
    rows = table.read_rows(table.column_names)
    found = [f"[{row.reason}]" if isinstance(row, UnreadableRow) else row[0] for row in rows]
    return [f"{text} {table.place_of(number).removeprefix('row ')}" for number, text in enumerate(found, 1)]


SHOES = [f"Shoe {letter},T{i},{10 + i}.5,p{i}.png" for i, letter in enumerate("ABCDEF")]


def shoes(*changed: tuple[int, str], header: str = "Name,Type,Price,Image") -> str:
    """A table of six shoes, of which some have another line."""
    lines = list(SHOES)
    for index, line in changed:
        lines[index] = line
    return "\n".join([header, *lines, ""])


WHOLE = ["Shoe A 2", "Shoe B 3", "Shoe C 4", "Shoe D 5", "Shoe E 6", "Shoe F 7"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # rows with too few or too many cells
        (shoes((2, "Shoe C,T2,12.5")), WHOLE),
        (shoes(header="Name,Type,Price,Image,Note"), WHOLE),
        ("\n".join(line + ",," for line in shoes().splitlines()), WHOLE),
        (shoes().replace(".png", ".png,"), WHOLE),
        (shoes((2, SHOES[2] + ",more")), [*WHOLE[:2], "[row_too_long] 4", *WHOLE[3:]]),
        (shoes((2, "Shoe C, black,T2,12.5,p2.png")), [*WHOLE[:2], "[row_too_long] 4", *WHOLE[3:]]),
        # a line break without quotes
        (
            shoes((2, "Shoe\nC,T2,12.5,p2.png")),
            [*WHOLE[:2], "[row_broken] 4", "[row_broken] 5", "Shoe D 6", "Shoe E 7", "Shoe F 8"],
        ),
        # quotes that are not closed or not escaped cost the rows they touch
        (shoes((2, '"Shoe C,T2,12.5,p2.png')), [*WHOLE[:2], "[row_broken_quote] 4", *WHOLE[3:]]),
        (shoes((5, '"Shoe F,T2,12.5,p2.png')), [*WHOLE[:5], "[row_broken_quote] 7"]),
        (
            shoes((0, '"Shoe 20 wide,T0,1.5,p0.png'), (2, 'Shoe 21",T2,12.5,p2.png')),
            ["[row_broken_quote] 2", "Shoe B 3", 'Shoe 21" 4', *WHOLE[3:]],
        ),
        (shoes((1, '"Shoe "B" red",T1,11.5,p1.png')), ["Shoe A 2", "[row_broken_quote] 3", *WHOLE[2:]]),
        (shoes((1, '"Shoe B\nred",T1,11.5,p1.png')), ["Shoe A 2", "Shoe B\nred 3", *WHOLE[2:]]),
        # blank lines, and lines of separators, are no rows
        (shoes((1, "\n,,,\n  , ,\xa0,"), (4, "")), ["Shoe A 2", "Shoe C 6", "Shoe D 7", "Shoe F 9"]),
        # a title, notes or groups of columns above the header
        ("Products as of 30 November,,,\n,,,\n" + shoes(), [f"{t[:6]} {int(t[7:]) + 2}" for t in WHOLE]),
        ("Products as of 30 November, 2026\n" + shoes(), [f"{t[:6]} {int(t[7:]) + 1}" for t in WHOLE]),
        (
            "Shop;Muster GmbH\nStand;30.11.2026\n\n" + shoes().replace(",", ";"),
            [f"{t[:6]} {int(t[7:]) + 3}" for t in WHOLE],
        ),
        ("Product,,Money,Media\n" + shoes(), [f"{t[:6]} {int(t[7:]) + 1}" for t in WHOLE]),
    ],
)
def test_a_row_that_is_broken_is_one_counted_row(text: str, expected: list[str], write_file: Callable) -> None:
    table = open_csv(write_file(text))
    assert table.column_names[:4] == ["Name", "Type", "Price", "Image"]
    assert titles(table) == titles(table) == expected


@pytest.mark.parametrize(
    ("line", "cell", "note"),
    [
        ('"Monitor {n}\\" wide, flat",T,{n}.5,p{n}.png', 'Monitor {n}" wide, flat', "escaped by backslashes"),
        ('"Monitor {n}"" wide, flat",T,{n}.5,p{n}.png', 'Monitor {n}" wide, flat', ""),
        ('"C:\\img\\{n}\\",T,{n}.5,p{n}.png', "C:\\img\\{n}\\", ""),
        (r'"a\\b {n}\"",\N,{n}.5,p{n}.png', 'a\\b {n}"', "escaped by backslashes"),
        ('"Shoe, {n}", "T, U", {n}.5, "p{n}.png"', "Shoe, {n}", "spaces after separators"),
    ],
)
def test_quotes_are_read_however_they_are_escaped(line: str, cell: str, note: str, write_file: Callable) -> None:
    lines = [line.replace("{n}", str(n)) for n in range(20, 32)]
    table = open_csv(write_file("\n".join(["Name,Type,Price,Image", *lines])))
    rows = list(table.read_rows(["Name", "Type", "Image"]))
    assert [row[0] for row in rows] == [cell.replace("{n}", str(n)) for n in range(20, 32)]
    assert [row[2] for row in rows] == [f"p{n}.png" for n in range(20, 32)]
    assert note in table.note
    assert bool(table.note) == bool(note)


def test_a_backslash_before_a_quote_is_found_late_in_a_file(write_file: Callable) -> None:
    lines = [f"Bag {n},T,{n}.5,p{n}.png" for n in range(3000)]
    lines[2500] = '"Bag 20\\", wide",T,5.5,p.png'
    rows = list(open_csv(write_file("\n".join(["Name,Type,Price,Image", *lines]))).read_rows(["Name"]))
    assert (len(rows), rows[2499:2502]) == (3000, [["Bag 2499"], ['Bag 20", wide'], ["Bag 2501"]])


def test_a_row_that_no_way_of_quoting_mends_costs_no_other(write_file: Callable) -> None:
    lines = [f"Bag {n},T,{n}.5,p{n}.png" for n in range(9)]
    lines[4] = 'Bag 4,"x\\",y,4.5,p4.png'
    rows = list(open_csv(write_file("\n".join(["Name,Type,Price,Image", *lines]))).read_rows(["Name"]))
    expected: list[object] = [[f"Bag {n}"] for n in range(9)]
    found = [row for index, row in enumerate(rows) if index != 4]
    assert found == expected[:4] + expected[5:]
    assert isinstance(rows[4], UnreadableRow)


def test_many_quotes_that_are_never_closed_take_little_time(write_file: Callable) -> None:
    lines = [f'"Bag {n},T,{n}.5,p{n}.png' for n in range(3000)]
    rows = list(open_csv(write_file("\n".join(["Name,Type,Price,Image", *lines]))).read_rows(["Name"]))
    assert len(rows) == 3000


def test_says_which_lines_above_the_header_were_skipped(write_file: Callable) -> None:
    table = open_csv(write_file("Spring 2026\nfor you\n" + shoes()))
    assert table.note == "row 3 names the columns; 2 lines above it skipped: 'Spring 2026'"


@pytest.mark.parametrize("quote", ['="{}"', '"=""{}"""'])
def test_texts_that_are_written_for_excel_lose_their_wrapping(
    quote: str, write_file: Callable, read_rows: Callable
) -> None:
    cells = ",".join(quote.format(text) for text in ("Lamp", "Lamps", "12.50", "a.png", "0042"))
    rows = read_rows(write_file(f"title,category,price,image,sku\n{cells}\n{cells}\n"))
    texts = {"title": "Lamp", "category": "Lamps", "price": "12.50"}
    assert [(row.product_code, row.images, row.cells) for row in rows] == [("0042", ("a.png",), texts)] * 2


def test_words_that_tell_encodings_apart_are_shown(write_file: Callable, open_table: Callable) -> None:
    lines = "title,category,price,image\nHrneček Libušín,Květináče,12,a.png\n"
    source, _ = open_table(write_file(lines.encode("cp1250")))
    assert source.note.endswith("if accents look wrong ('Hrneèek' and 'Kvìtináèe')")
