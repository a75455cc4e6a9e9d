"""JSON is read as lines or as an array of any length, with numbers as they are written."""

import contextlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etalage.catalogue.readers.json import read_records
from etalage.catalogue.readers.json_text import EXACT_DECODER
from etalage.catalogue.table import Row
from etalage.errors import EtalageError
from etalage.task import Field

ROWS = [{"title": "A", "category": "X", "price": 990.0, "image": "a.png"}]


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


def test_reads_an_array_larger_than_one_chunk(write_file: Callable, read_rows: Callable) -> None:
    many = [{**ROWS[0], "title": f"Bag {i} {'é' * 300_000 * (i % 7 == 0)}"} for i in range(30)]
    found = read_rows(write_file(json.dumps(many, ensure_ascii=False), "t.json"))
    assert [row.cells["title"] for row in found] == [row["title"] for row in many]


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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.dictionaries(st.text(), json_values, max_size=3), max_size=5),
    st.integers(1, 40),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_an_array_cut_into_chunks_anywhere_reads_as_whole(
    write_file: Callable, records: list[dict[str, Any]], chunk_chars: int, indent: int | None, is_ascii: bool
) -> None:
    path = write_file(json.dumps(records, ensure_ascii=is_ascii, indent=indent).encode("utf-8", "replace"), "t.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("etalage.catalogue.readers.json_array.CHUNK_BYTES", chunk_chars)
        assert list(read_records(path)) == EXACT_DECODER.decode(path.read_text(encoding="utf-8"))


def test_items_longer_than_any_cell_are_refused(write_file: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etalage.catalogue.readers.json_array.MAX_CELL_CHARS", 1000)
    monkeypatch.setattr("etalage.catalogue.readers.json_array.CHUNK_BYTES", 100)
    path = write_file(json.dumps([{"title": "A"}, {"title": "x" * 10_000}]), "t.json")
    with pytest.raises(EtalageError, match=r"t\.json row 2 is not JSON"):
        list(read_records(path))


def test_numbers_keep_their_type_and_their_digits() -> None:
    text = "[990.0, 1e5, -0, 12345678901234567890, NaN, Infinity, -Infinity, true, null]"
    numbers = [Decimal("990.0"), Decimal("1e5"), 0, 12345678901234567890, None, "Infinity", "-Infinity", True, None]
    assert EXACT_DECODER.decode(text) == numbers
    assert [type(number) for number in EXACT_DECODER.decode(text)[:4]] == [Decimal, Decimal, int, int]
    assert str(EXACT_DECODER.decode("1.299")) == "1.299"
    assert EXACT_DECODER.decode("1e99999999999999999999") == "1e99999999999999999999"
    assert EXACT_DECODER.decode("9" * 5000) == "9" * 5000, "Python reads no number of so many digits"


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


PRODUCTS = [{"title": f"T{n}", "image": f"{n}.png"} for n in range(3)]


@pytest.mark.parametrize(
    ("content", "key", "note"),
    [
        ({"products": PRODUCTS}, "", "its rows are those under 'products'"),
        ({"total": 3, "next": None, "tags": ["a"], "data": {"shop": {"items": PRODUCTS}}}, "", "'data.shop.items'"),
        ({"products": PRODUCTS, "reviews": [{"stars": 5}, {"stars": 4}]}, "products", "'products'"),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_reads_the_list_inside_an_object(
    content: Any, key: str, note: str, indent: int | None, write_file: Callable, open_table: Callable
) -> None:
    source, table = open_table(
        write_file(json.dumps(content, indent=indent), "t.json"), [Field("title", "text")], sheet=key
    )
    assert [row.cells["title"] for row in table] == ["T0", "T1", "T2"]
    assert note in source.note


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"a": PRODUCTS, "b": PRODUCTS}, r"several lists of objects: 'a' \(3 rows\), 'b' \(3 rows\); .*--sheet a"),
        ({"title": ["A", "B"], "image": ["a", "b"]}, "holds no list of objects"),
        ({"title": {"0": "A", "1": "B"}, "image": {"0": "a", "1": "b"}}, r"orient='records'"),
        ({"A-1": {"title": "A", "image": "a"}, "A-2": {"title": "B", "image": "b"}}, "is one object, of 'A-1', 'A-2'"),
        ({"products": []}, "holds no list of objects"),
    ],
)
def test_says_why_an_object_is_no_table(
    content: Any, complaint: str, write_file: Callable, open_table: Callable
) -> None:
    for indent in (None, 2):
        with pytest.raises(EtalageError, match=complaint):
            open_table(write_file(json.dumps(content, indent=indent), "t.json"), [Field("title", "text")])


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
