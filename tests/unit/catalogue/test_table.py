"""Rows have texts under the task's names, the first picture, a code and a split."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue.readers.raw_table import row_place
from etalage.catalogue.sources import Source
from etalage.catalogue.table import number_text, read_table
from etalage.config import PrepareConfig
from etalage.errors import EtalageError
from etalage.task import Field


def test_takes_columns_split_and_picture_folder_from_the_settings(
    tmp_path: Path, write_file: Callable, open_table: Callable
) -> None:
    path = write_file("a,category,price,image,fold\nA,X,5,a.png,test\n")
    with pytest.raises(EtalageError, match=r"--image-folder .*pics is no folder; name the one that holds the pictures"):
        open_table(path, columns="title=a", image_folder=tmp_path / "pics")
    (tmp_path / "pics").mkdir()
    source, table = open_table(path, columns="title=a", split_column="fold", image_folder=tmp_path / "pics")
    assert [row.split for row in table] == ["test"]
    assert source.folder == tmp_path / "pics"


def test_refuses_a_field_with_a_reserved_name(write_file: Callable, open_table: Callable) -> None:
    with pytest.raises(EtalageError, match=r"\{split\} cannot be a field"):
        open_table(write_file("split,image\na,b\n"), [Field("split", "text")])


def test_reports_columns_that_were_guessed_from_cells(write_file: Callable, open_table: Callable) -> None:
    lines = [f"Fine Coat No {i},{'AB'[i % 2]},{i + 10}.50,{i}.jpg" for i in range(20)]
    table = open_table(write_file("\n".join(["a,b,c,d", *lines])))[1]
    assert table.columns == {"title": "a", "category": "b", "price": "c", "image": "d"}
    assert table.match.guessed == set(table.columns)


def test_a_row_without_a_code_is_known_by_its_number(write_file: Callable, read_rows: Callable) -> None:
    rows = read_rows(write_file("sku,title,image\n7,A,a\n ,B,b\n"), [Field("title", "text")])
    assert [(row.number, row.product_code) for row in rows] == [(1, "7"), (2, "2")]


@pytest.mark.parametrize(
    ("cell", "image"),
    [
        ("a.png", "a.png"),
        (["a.png", "b.png"], "a.png"),
        ("NULL", ""),
        (["-", "a.png"], "a.png"),
        ([], ""),
        (None, ""),
        ({"bytes": None, "path": "a.png"}, "a.png"),
        ({"src": "a.png"}, "a.png"),
        ([{"url": "https://x.example/a"}], "https://x.example/a"),
        ({"path": "", "caption": "a"}, ""),
        ("hf://datasets/o/n/a b.png", "https://huggingface.co/datasets/o/n/resolve/main/a%20b.png"),
        ("hf://datasets/o/n@0a1b/a.png", "https://huggingface.co/datasets/o/n/resolve/0a1b/a.png"),
    ],
)
def test_takes_the_first_picture_of_a_cell(write_file: Callable, read_rows: Callable, cell: Any, image: str) -> None:
    path = write_file(json.dumps({"title": "A", "image": cell}), "t.jsonl")
    assert [row.images[:1] for row in read_rows(path, [Field("title", "text")])] == [(image,) if image else ()]


def test_words_for_no_value_are_missing_in_every_column(write_file: Callable, read_rows: Callable) -> None:
    lines = [
        "sku,title,category,price,image",
        "NULL,nan,N/A,-,None",
        "7,None So Pretty,Null,5,- ",
        "-,Null Modem,A,\\N,a.png",
    ]
    rows = read_rows(write_file("\n".join(lines)))
    assert [list(row.cells.values()) for row in rows] == [
        ["", "", ""],
        ["None So Pretty", "", "5"],
        ["Null Modem", "A", ""],
    ]
    assert [(row.product_code, row.images) for row in rows] == [("1", ()), ("7", ()), ("3", ("a.png",))]


def test_a_word_for_no_value_is_an_answer_of_a_conversation(write_file: Callable, open_table: Callable) -> None:
    turns = [{"from": "human", "value": "<image>\nIs there a brand?"}, {"from": "gpt", "value": "None"}]
    path = write_file(json.dumps([{"image": "a.png", "conversations": turns}]), "t.json")
    (row,) = open_table(path, [Field("answer", "text")])[1]
    assert row.cells["answer"] == "None"


def test_numbers_stay_numbers_and_are_written_as_people_write_them(tmp_path: Path, read_rows: Callable) -> None:
    table = {
        "title": [501.0, 1e22],
        "category": ["X", "X"],
        "price": [1.299, math.nan],
        "image": ["a", "b"],
        "sku": [7.0, 8.5],
    }
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    rows = read_rows(tmp_path / "t.parquet")
    assert [row.cells["price"] for row in rows] == [1.299, ""]
    assert [number_text(row.cells["title"]) for row in rows] == ["501", "10000000000000000000000"]
    assert [row.product_code for row in rows] == ["7", "8.5"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *(
            (7, "7"),
            (7.0, "7"),
            (0.1, "0.1"),
            (math.inf, "inf"),
            (Decimal("990.0"), "990"),
            (Decimal("1.299"), "1.299"),
        ),
        (Decimal("1E+400"), "1E+400"),
        (10**300, "1" + "0" * 300),
    ],
)
def test_a_number_as_text(number: int | float | Decimal, text: str) -> None:
    assert number_text(number) == text


def test_a_row_without_text_where_it_is_needed_is_dropped_alone(write_file: Callable, read_rows: Callable) -> None:
    cells = ["A", ["B"], {"de": "C", "en": "C"}, "half \ud800", 5]
    path = write_file("\n".join(json.dumps({"title": cell, "image": "a"}) for cell in cells), "t.jsonl")
    rows = read_rows(path, [Field("title", "text")])
    assert [row.problem and row.problem.reason for row in rows] == [
        *(None, "cell_not_text", "cell_not_text", "text_not_unicode", None)
    ]
    assert rows[2].problem.detail == "column 'title' holds an object of de, en where a text or a number is needed"
    assert rows[3].problem.detail == "column 'title': 'half \\ud800' holds half of a character"


def test_originals_are_the_text_cells_of_the_rows_asked_for(write_file: Callable, open_table: Callable) -> None:
    lines = [{"title": f"T{i}", "image": "a", "more": [i] if i == 2 else f"m{i}", "": "x"} for i in range(5)]
    path = write_file("\n".join(map(json.dumps, lines)), "t.jsonl")
    table = open_table(path, [Field("title", "text")])[1]
    assert table.text_columns == ["title", "image", "more"]
    assert list(table.originals([1, 3, 4])) == [["T0", "a", "m0"], ["T2", "a", None], ["T3", "a", "m3"]]
    assert list(table.originals([])) == []
    with pytest.raises(EtalageError, match=r"t\.jsonl row 6 is gone"):
        list(table.originals([5, 6]))


def test_originals_are_cut_and_empty_ones_are_none(write_file: Callable, open_table: Callable) -> None:
    path = write_file(f"title,image,more,less\nA,a,{'x' * 20_000},\n")
    (cells,) = open_table(path, [Field("title", "text")])[1].originals([1])
    assert cells == ["A", "a", "x" * 10_000, None]


def test_pictures_inside_a_table_are_no_text_column(tmp_path: Path, open_table: Callable) -> None:
    pq.write_table(pa.table({"title": ["A"], "image": [b"x"], "more": ["m"]}), tmp_path / "t.parquet")
    assert open_table(tmp_path / "t.parquet", [Field("title", "text")])[1].text_columns == ["title", "more"]


def test_reads_a_small_sample_where_cells_hold_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("etalage.catalogue.table.MAX_SAMPLE_BYTES", 1000)
    reads = []

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any]]:
        for number in range(100):
            reads.append(number)
            cells = {"a": {"bytes": b"x" * 400}, "b": f"Fine Coat {number}"}
            yield [cells[column] for column in columns]

    source = Source("t", tmp_path, "parquet", ["a", "b"], "", read_rows, row_place)
    table = read_table(source, [Field("title", "text")], PrepareConfig("t", tmp_path))
    assert table.columns == {"title": "b", "image": "a"}
    assert reads == [0, 1, 2, 0], "three rows to recognise columns, and one to see that there are rows"
