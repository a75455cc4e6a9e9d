"""Arrow values become those of Python: numbers stay numbers, and pictures bytes."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from etalage.catalogue.readers.arrow import (
    batch_size,
    class_labels,
    error_text,
    iterate_rows,
    split_order,
    table_with_splits,
)


def column(values: list[Any], kind: Any) -> list[Any]:
    return [row[0] for row in iterate_rows(pa.table({"a": pa.array(values, kind)}), ["a"], {})]


@pytest.mark.parametrize(
    ("values", "kind", "cells"),
    [
        (
            [990.0, 1290.5, float("nan"), None, -0.0, 1e20],
            pa.float64(),
            [990.0, 1290.5, pytest.approx(float("nan"), nan_ok=True), None, -0.0, 1e20],
        ),
        ([2.5, None], pa.float16(), [2.5, None]),
        ([12.99, None], pa.float32(), [12.99, None]),
        ([2**63 - 1, None], pa.int64(), [9223372036854775807, None]),
        ([True, None], pa.bool_(), [True, None]),
        ([Decimal("1.50")], pa.decimal128(5, 2), [Decimal("1.50")]),
        (["a", None, "a"], pa.dictionary(pa.int8(), pa.string()), ["a", None, "a"]),
        ([date(2026, 11, 30)], pa.date32(), ["2026-11-30"]),
        (["00123", ""], pa.string(), ["00123", ""]),
        ([b"\x89", None], pa.binary(), [b"\x89", None]),
        ([[1, 2], None], pa.list_(pa.int8()), [[1, 2], None]),
        ([{"bytes": b"x"}], pa.struct([("bytes", pa.binary())]), [{"bytes": b"x"}]),
    ],
)
def test_cells_of_every_type(values: list[Any], kind: Any, cells: list[Any]) -> None:
    assert column(values, kind) == cells


def test_class_labels_outside_their_names_are_no_value() -> None:
    table = pa.table({"a": [0, 1, 2, -1, None]})
    assert [row[0] for row in iterate_rows(table, ["a"], {"a": ["shirt", "coat"]})] == ["shirt", "coat", *[None] * 3]


@pytest.mark.parametrize("metadata", [None, {}, {"huggingface": "no JSON"}, {"huggingface": "[]"}])
def test_metadata_without_labels_has_none(metadata: Any) -> None:
    assert class_labels(pa.schema([("a", pa.int8())], metadata)) == {}


def test_few_rows_are_held_where_cells_may_hold_pictures() -> None:
    schema = pa.schema([("text", pa.string()), ("image", pa.binary()), ("struct", pa.struct([("bytes", pa.binary())]))])
    assert batch_size(schema, ["text"]) == 1024
    assert batch_size(schema, ["text", "image"]) == batch_size(schema, ["struct"]) == 16


def test_a_split_column_is_added_to_several_splits_that_have_none() -> None:
    def read_batches(columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
        for split in ("train", "test"):
            yield split, pa.table({"a": [split + "1", split + "2"], "b": ["x", "y"]}).select(list(columns))

    table = table_with_splits(["a", "b"], read_batches, {}, num_splits=2)
    assert table.column_names == ["a", "b", "split"]
    assert list(table.read_rows(["split", "b"])) == [["train", "x"], ["train", "y"], ["test", "x"], ["test", "y"]]
    assert list(table.read_rows(["split"])) == [["train"], ["train"], ["test"], ["test"]]
    assert table_with_splits(["a"], read_batches, {}, num_splits=1).column_names == ["a"]
    assert table_with_splits(["a", "split"], read_batches, {}, num_splits=2).column_names == ["a", "split"]


def test_splits_are_sorted_as_they_are_used() -> None:
    assert sorted(["extra", "test", "validation", "train"], key=split_order) == ["train", "validation", "test", "extra"]


def test_messages_of_libraries_become_one_short_line() -> None:
    assert error_text(OSError("two\n  lines")) == "two lines"
    assert error_text(OSError()) == "OSError"
    assert len(error_text(OSError("x" * 10_000))) == 500
