"""JSON is read as lines or as an array of any length, with numbers as they are written."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etalage.catalogue.readers.json import VERBATIM_DECODER, read_records
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
    assert [row.cells["title"] for row in found] == [row["title"] for row in many]


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
        patch.setattr("etalage.catalogue.readers.json.CHUNK_BYTES", chunk_chars)
        assert list(read_records(path)) == VERBATIM_DECODER.decode(path.read_text(encoding="utf-8"))


def test_items_longer_than_any_cell_are_refused(write_file: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etalage.catalogue.readers.json.MAX_CELL_CHARS", 1000)
    monkeypatch.setattr("etalage.catalogue.readers.json.CHUNK_BYTES", 100)
    path = write_file(json.dumps([{"title": "A"}, {"title": "x" * 10_000}]), "t.json")
    with pytest.raises(EtalageError, match=r"t\.json row 2 is not JSON"):
        list(read_records(path))


def test_numbers_and_constants_are_kept_as_they_are_written() -> None:
    text = "[990.0, 1e5, 1.0E+5, -0, 12345678901234567890, NaN, Infinity, -Infinity, true, null]"
    numbers = ["990.0", "1e5", "1.0E+5", "-0", "12345678901234567890", None, "Infinity", "-Infinity", True, None]
    assert VERBATIM_DECODER.decode(text) == numbers
