"""An array of any length is read item by item."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etalage.catalogue.readers.json import read_records
from etalage.catalogue.readers.json_text import EXACT_DECODER
from etalage.errors import EtalageError

ROWS = [{"title": "A", "category": "X", "price": 990.0, "image": "a.png"}]


def test_reads_an_array_larger_than_one_chunk(write_file: Callable, read_rows: Callable) -> None:
    many = [{**ROWS[0], "title": f"Bag {i} {'é' * 300_000 * (i % 7 == 0)}"} for i in range(30)]
    found = read_rows(write_file(json.dumps(many, ensure_ascii=False), "t.json"))
    assert [row.cells["title"] for row in found] == [row["title"] for row in many]


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
