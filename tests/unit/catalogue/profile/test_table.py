"""Tests of reading a table's columns as numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue.profile import table as columns
from etalage.task import Field


@pytest.fixture
def write_column(tmp_path: Path):
    """Return a function that writes a table with one column, named c unless a name is given."""

    def write(values: list[Any], name: str = "c") -> Path:
        pq.write_table(pa.table({name: values}), tmp_path / "table.parquet")
        return tmp_path / "table.parquet"

    return write


def test_numbers_and_booleans_are_read_as_integers(write_column) -> None:
    assert columns.read_integers(write_column([3, None, -1]), "c", np.int32).tolist() == [3, 0, -1]
    assert columns.read_integers(write_column([True, False, None]), "c", np.int32).tolist() == [1, 0, 0]


def test_missing_prices_are_nan(write_column) -> None:
    np.testing.assert_array_equal(columns.read_floats(write_column([1.5, None]), "c"), [1.5, np.nan])


def test_lengths_count_characters_and_not_bytes(write_column) -> None:
    assert columns.read_lengths(write_column(["été", "", None, "👩"]), "c").tolist() == [3, 0, 0, 1]


def test_equal_texts_have_equal_hashes(write_column) -> None:
    one, other, again, missing, empty = columns.read_hashes(write_column(["a", "b", "a", None, ""]), "c")
    assert one == again != other
    assert missing == empty


def test_categories_have_codes_in_order_of_appearance(write_column) -> None:
    found = columns.read_categories(write_column(["b", "a", "b", None, ""]), "c")
    assert found.codes.tolist() == [0, 1, 0, 2, 2]
    assert (found.names, found.counts) == (["b", "a", "(none)"], [2, 1, 2])
    assert found.by_count == [2, 0, 1], "ties in alphabetical order"


def test_texts_that_look_alike_when_cut_are_different_categories(write_column) -> None:
    found = columns.read_categories(write_column(["y" * 90 + "1", "y" * 90 + "2"]), "c")
    assert found.names[0] == found.names[1] == "y" * 79 + "…"
    assert found.counts == [1, 1]


def test_categories_beyond_the_limit_have_no_code(write_column, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MAX_CATEGORIES", 2)
    found = columns.read_categories(write_column(list("abcab")), "c")
    assert found.codes.tolist() == [0, 1, -1, 0, 1]
    assert found.counts == [2, 2]


def test_columns_are_read_alike_in_any_batch_size(write_column, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_column([str(n % 7) for n in range(100)])
    whole = columns.read_categories(path, "c")
    monkeypatch.setattr(columns, "_BATCH_ROWS", 9)
    in_batches = columns.read_categories(path, "c")
    assert in_batches.codes.tolist() == whole.codes.tolist()
    assert (in_batches.names, in_batches.counts) == (whole.names, whole.counts)
    assert [(place, row["c"]) for place, row in columns.read_rows(path, [99, 8, 9, 8], ["c"])] == [
        *((8, "1"), (9, "2"), (99, "1")),
    ]


def test_rows_are_read_whole_and_once(write_column) -> None:
    path = write_column(["a", "b", "c"])
    assert list(columns.read_rows(path, [2, 0, 2], ["c", "c"])) == [(0, {"c": "a"}), (2, {"c": "c"})]
    assert list(columns.read_rows(path, [], ["c"])) == []


@pytest.mark.parametrize(("kind", "values"), [("price", [1.0, None, 2.0]), ("text", ["a", None, ""])])
def test_products_without_a_value_are_counted(kind, values: list[Any], write_column) -> None:
    assert columns.count_missing(write_column(values), Field("c", kind)) == values.count(None) + values.count("")


def test_suffixes_are_counted_the_most_frequent_first(write_column) -> None:
    path = write_column(["images/a.png", "b.v2.jpg", "c.jpg", None], "file_name")
    assert columns.count_suffixes(path, 40) == [("jpg", 2), ("", 1), ("png", 1)]


def test_suffixes_beyond_the_limit_are_others(write_column, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_BATCH_ROWS", 1)
    path = write_column([f"p.{n}" for n in range(6)], "file_name")
    assert columns.count_suffixes(path, 2) == [("others", 4), ("0", 1), ("1", 1)]


def test_known_suffixes_are_counted_beyond_the_limit(write_column, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_BATCH_ROWS", 1)
    path = write_column(["a.png", "b.jpg", "c.gif", "d.png", "e.webp", "f.jpg", "g.png"], "file_name")
    assert columns.count_suffixes(path, 2) == [("png", 3), ("jpg", 2), ("others", 2)]
