"""JSON is read as lines, as an array or as an object, and a broken line is one counted row."""

import contextlib
import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from etalage.catalogue.table import Row
from etalage.errors import EtalageError
from etalage.task import Field


def test_keeps_numbers_as_written_and_finds_columns_that_come_late(write_file: Callable, read_rows: Callable) -> None:
    lines = [
        '{"sku": "007", "name": "A", "type": "X", "image": ["a.png", "b.png"]}',
        '{"sku": 8, "name": "B", "type": null, "image": {"path": "b.png"}, "price": 1290.50}',
        '{"sku": null, "name": "C", "type": true, "image": [], "price": NaN}',
    ]
    found = [
        Row(1, "row 1", "007", ("a.png", "b.png"), {"title": "A", "category": "X", "price": ""}),
        Row(2, "row 2", "8", ("b.png",), {"title": "B", "category": "", "price": Decimal("1290.50")}),
        Row(3, "row 3", "3", (), {"title": "C", "category": "True", "price": ""}),
    ]
    assert read_rows(write_file(" [\n" + " ,\n".join(lines) + "\n]\n", "array.json")) == found
    # The place of a line is what an editor shows.
    found = [row._replace(place=f"line {2 * row.number - 1}") for row in found]
    assert read_rows(write_file("\n\n".join(lines), "t.jsonl")) == found
    assert read_rows(write_file("\ufeff" + "\n\n".join(lines), "t.json")) == found
    assert read_rows(write_file("\n\n".join(lines).encode("utf-16"), "utf16.jsonl")) == found


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "is empty"),
        (b"[]", "is empty"),
        (b"[1]", "row 1 is not an object"),
        (b"7", r"row 1 \(line 1\) is not an object"),
        (b'{"title"\n{"title": 1}\n', "is not JSON"),
        (b'[{"title": 1}, {"title"', "row 2 is not JSON"),
        (b'[{"title": 1} {"title": 2}]', "row 2 is not JSON"),
        (b'[{"title": 1},]', "row 2 is not JSON"),
        (b'[{"title": 1}] more', "goes on after its array of 1 rows"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"a":' * 100_000, "is not JSON"),
        (b'{"title": "\xff"}', r"byte 11 \(0xff\)"),
        (b'[{"title": "\xff"}]', r"byte 12 \(0xff\)"),
    ],
)
def test_refuses_broken_files_with_the_place_of_the_damage(
    text: bytes, complaint: str, write_file: Callable, read_rows: Callable
) -> None:
    with pytest.raises(EtalageError, match=complaint):
        read_rows(write_file(text, "t.json"))


ROW = '{"title": "A", "image": "a.png"}'


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (f"{ROW}\n\n{ROW[:-5]}\n{ROW}\n[1]\n", ["line 1", "line 3 row_not_json", "line 4", "line 5 row_not_json"]),
        (f"{ROW}\n{'[' * 100_000}\n{ROW}", ["line 1", "line 2 row_not_json", "line 3"]),
        (f"{ROW}\n{ROW.replace('A', chr(92) + 'ud800')}", ["line 1", "line 2 text_not_unicode"]),
        (f"{ROW}\n{ROW.replace(chr(34) + 'A' + chr(34), '[1]')}", ["line 1", "line 2 cell_not_text"]),
    ],
)
def test_a_line_that_cannot_be_read_is_one_counted_row(
    text: str, rows: list[str], write_file: Callable, read_rows: Callable
) -> None:
    found = read_rows(write_file(text, "t.jsonl"), [Field("title", "text")])
    assert [row.place + (f" {row.problem.reason}" if row.problem else "") for row in found] == rows


def test_values_within_objects_have_dots_in_their_names(write_file: Callable, open_table: Callable) -> None:
    lines = [
        {"title": {"en": "A", "de": "B"}, "price": {"amount": 1.299, "currency": "KWD"}, "image": {"src": "a", "w": 1}},
        {"title": {"en": "C"}, "price": 5, "image": {"url": "c"}, "a.b": {"c.d": 7}},
    ]
    path = write_file("\n".join(map(json.dumps, lines)), "t.jsonl")
    source, table = open_table(
        path, [Field("title", "text"), Field("price", "price")], columns="title=title.en,price=price.amount"
    )
    names = ["title.en", "title.de", "price.amount", "price.currency", "image", "price", "a.b.c.d"]
    assert source.column_names == names
    found = [(row.cells["title"], row.cells["price"]) for row in table]
    assert found == [("A", Decimal("1.299")), ("C", "")]
    assert [row.images for row in table] == [("a",), ("c",)]
    assert list(source.read_rows(["price", "a.b.c.d"]))[1] == [5, 7]


@pytest.mark.parametrize("depth", [10, 200, 900, 5000])
def test_deeply_nested_values_end_in_words(depth: int, write_file: Callable, open_table: Callable) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    line = f'{{"title": "Bag A", "image": "a.png", "more": {deep}}}'
    for text in (
        f"{ROW}\n{line}\n{ROW}",
        f"[{ROW},{line}]",
        f'{{"products": [{ROW},{line}]}}',
        f'{{"x": {deep}}}',
        line,
    ):
        with contextlib.suppress(EtalageError):
            assert len(list(open_table(write_file(text, "t.json"), [Field("title", "text")])[1])) >= 1
