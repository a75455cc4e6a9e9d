"""Tables of every kind are read as text, and what is wrong with them is said."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue.sources import MAX_CELL_CHARS, Row, match_columns, read_table

FIELDS = ["title", "category", "price"]
HEADER = "product_code,title,category3_code,full_price,imageurl\n"


def write(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_csv_keeps_codes_as_written_and_line_breaks_in_cells(tmp_path: Path) -> None:
    text = "\ufeff" + HEADER + '00123,"A, ""quoted""\nshirt",SHIRTS,990.0,a.png\n\n,B,,,\n'
    rows = list(read_table(write(tmp_path, text), FIELDS))
    assert rows == [
        Row(1, "00123", "a.png", {"title": 'A, "quoted"\nshirt', "category": "SHIRTS", "price": "990.0"}),
        Row(2, "2", "", {"title": "B", "category": "", "price": ""}),
    ]


def test_parquet_takes_numbers_and_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    columns = {
        "product_code": pa.array([80123, 9007199254740993]),
        "title": ["A", None],
        "category3_code": pa.array(["X", "X"]).dictionary_encode(),
        "full_price": [990.0, 1290.5],
        "imageurl": ["a.png", "b.png"],
    }
    pq.write_table(pa.table(columns), path)
    rows = list(read_table(path, FIELDS))
    assert [row.product_code for row in rows] == ["80123", "9007199254740993"]
    assert [float(row.texts["price"]) for row in rows] == [990.0, 1290.5]
    assert rows[1].texts["title"] == ""


def test_jsonl_keeps_numbers_as_written_and_finds_columns_that_come_late(tmp_path: Path) -> None:
    lines = [
        {"sku": "007", "name": "A", "type": "X", "image": "a.png"},
        {"sku": 8, "name": "half \ud800", "type": None, "image": "b.png", "price": 1290.50},
    ]
    path = write(tmp_path, "\n\n".join(json.dumps(line) for line in lines), "t.jsonl")
    rows = list(read_table(path, FIELDS))
    assert rows[0] == Row(1, "007", "a.png", {"title": "A", "category": "X", "price": ""})
    assert rows[1] == Row(2, "8", "b.png", {"title": "half ?", "category": "", "price": "1290.5"})


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
        (HEADER.encode() + b"1,caf\xe9,X,5,a.png\n", r"not UTF-8: byte 59 \(0xe9\) on line 2"),
        (HEADER.encode("utf-16"), r"not UTF-8: byte 0 \(0xff\) on line 1"),
    ],
)
def test_broken_csv_is_refused_with_its_place(tmp_path: Path, text: bytes, complaint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=complaint) as caught:
        list(read_table(path, FIELDS))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "is empty"),
        (b"[1]", "row 1 .line 1. holds a list"),
        (b'{"title": 1}\n{"title"\n', "row 2 .line 2. is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"title": "\xff"}', r"byte 11 \(0xff\)"),
        (b'{"title": ["A"], "category": "X", "price": 1, "image": "a"}', "row 1 .line 1., title: holds a list"),
    ],
)
def test_broken_jsonl_is_refused_with_its_place(tmp_path: Path, text: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        list(read_table(write(tmp_path, text, "t.jsonl"), FIELDS))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read as Parquet"):
        read_table(write(tmp_path, b"PAR1 no", "t.parquet"), FIELDS)
    with pytest.raises(ValueError, match=r"cannot read \.xlsx; use \.csv"):
        read_table(write(tmp_path, b"PK", "t.xlsx"), FIELDS)
    with pytest.raises(ValueError, match="is a folder"):
        read_table(tmp_path, FIELDS)
    with pytest.raises(ValueError, match="is not there"):
        read_table(tmp_path / "no.csv", FIELDS)
    nested = {"title": [["A"]], "category": ["X"], "price": [1], "image": ["a"]}
    pq.write_table(pa.table(nested), tmp_path / "nested.parquet")
    with pytest.raises(ValueError, match="column 'title' holds list"):
        read_table(tmp_path / "nested.parquet", FIELDS)


def test_a_monstrous_cell_is_read(tmp_path: Path) -> None:
    assert MAX_CELL_CHARS > 10_000_000
    text = HEADER + f"1,{'x' * 1_000_000},X,5,a.png\n2,B,X,5,b.png\n"
    assert [len(row.texts["title"]) for row in read_table(write(tmp_path, text), FIELDS)] == [1_000_000, 1]


def test_preferred_names_win_whatever_their_case() -> None:
    names = ["price", "Full Price", "category", "category3_code", "NAME", "title", "image_url", "Image", "ID", "sku"]
    assert match_columns(names, FIELDS) == {
        "title": "title",
        "category": "category3_code",
        "price": "Full Price",
        "image": "Image",
        "product_code": "sku",
    }


def test_overrides_win_and_own_fields_are_found_under_their_own_name() -> None:
    names = ["brand", "title", "photo", "maker"]
    found = match_columns(names, ["title", "brand"], "image=photo, brand = maker")
    assert found == {"title": "title", "brand": "maker", "image": "photo"}


@pytest.mark.parametrize(
    ("names", "overrides", "complaint"),
    [
        (
            ["title", "type", "image"],
            "",
            r"no column for price: .*full_price.*found title, type, image.*--columns price=",
        ),
        (["titel", "type", "price", "image"], "", "did you mean 'titel'"),
        (["title", "type", "price", "image"], "title=titel", r"no column 'titel' \(did you mean 'title'\?\)"),
        (["title", "type", "price", "image"], "pric=price", r"names 'pric', which is none of .*did you mean 'price'"),
        (["title", "type", "price", "image"], "title", "has 'title'; write title=COLUMN"),
    ],
)
def test_a_column_not_found_is_explained(names: list[str], overrides: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        match_columns(names, FIELDS, overrides)


def test_a_field_cannot_take_a_name_of_the_catalogues_own(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\{split\} cannot be a field"):
        read_table(write(tmp_path, "split,image\na,b\n"), ["split"])
