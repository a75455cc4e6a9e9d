"""JSON is read as lines or as an array of any length, with numbers as they are written."""

import json
from collections.abc import Callable

import pytest

from etalage.catalogue.table import Row
from etalage.errors import EtalageError

ROWS = [{"title": "A", "category": "X", "price": 990.0, "image": "a.png"}]


def test_keeps_numbers_as_written_and_finds_columns_that_come_late(write_file: Callable, read_rows: Callable) -> None:
    lines = [
        '{"sku": "007", "name": "A", "type": "X", "image": ["a.png", "b.png"]}',
        '{"sku": 8, "name": "half \\ud800", "type": null, "image": {"path": "b.png"}, "price": 1290.50}',
        '{"sku": null, "name": "C", "type": true, "image": [], "price": NaN}',
    ]
    found = [
        Row(1, "007", "a.png", {"title": "A", "category": "X", "price": ""}),
        Row(2, "8", "b.png", {"title": "half ?", "category": "", "price": "1290.50"}),
        Row(3, "3", "", {"title": "C", "category": "True", "price": ""}),
    ]
    assert read_rows(write_file("\n\n".join(lines), "t.jsonl")) == found
    assert read_rows(write_file("\ufeff" + "\n\n".join(lines), "t.json")) == found
    assert read_rows(write_file(" [\n" + " ,\n".join(lines) + "\n]\n", "array.json")) == found


def test_reads_an_array_larger_than_one_chunk(write_file: Callable, read_rows: Callable) -> None:
    many = [{**ROWS[0], "title": f"{i} {'é' * 300_000 * (i % 7 == 0)}"} for i in range(30)]
    found = read_rows(write_file(json.dumps(many, ensure_ascii=False), "t.json"))
    assert [row.texts["title"] for row in found] == [row["title"] for row in many]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "is empty"),
        (b"[]", "is empty"),
        (b"[1]", "row 1 is not an object"),
        (b"7", r"row 1 \(line 1\) is not an object"),
        (b'{"title": 1}\n{"title"\n', "row 2 .line 2. is not JSON"),
        (b'[{"title": 1}, {"title"', "row 2 is not JSON"),
        (b'[{"title": 1} {"title": 2}]', "row 2 is not JSON"),
        (b'[{"title": 1},]', "row 2 is not JSON"),
        (b'[{"title": 1}] more', "goes on after its array of 1 rows"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"a":' * 100_000, "is not JSON"),
        (b'{"title": "\xff"}', r"byte 11 \(0xff\)"),
        (b'[{"title": "\xff"}]', r"byte 12 \(0xff\)"),
        (b'{"title": ["A"], "category": "X", "price": 1, "image": "a"}', "row 1, title: a list"),
        (b'{"title": {"de": "A"}, "category": "X", "price": 1, "image": "a"}', "row 1, title: an object"),
    ],
)
def test_refuses_broken_files_with_the_place_of_the_damage(
    text: bytes, complaint: str, write_file: Callable, read_rows: Callable
) -> None:
    with pytest.raises(EtalageError, match=complaint):
        read_rows(write_file(text, "t.json"))
