"""Arrow batches -> rows of cells: what Parquet, saved datasets and datasets on the hub have in common."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from etalage.catalogue.readers.raw_table import RawTable

__all__ = [
    "ARROW_ERRORS",
    "ClassLabels",
    "batch_size",
    "class_labels",
    "error_text",
    "iterate_rows",
    "split_order",
    "table_with_splits",
]

ClassLabels = Mapping[str, Sequence[str]]
"""By column, the names that the numbers of a class label stand for."""

ARROW_ERRORS = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What reading a damaged file of Arrow's formats can raise."""

_SPLITS = ("train", "validation", "test")
_ROWS_PER_BATCH = 1024
_ROWS_PER_BATCH_WITH_PICTURES = 16
_MAX_ERROR_CHARS = 500


def iterate_rows(batch: Any, columns: Sequence[str], labels: ClassLabels) -> Iterator[list[Any]]:
    """Yield the rows of a batch.

    Args:
        batch: A `pyarrow.RecordBatch` or `pyarrow.Table`.
        columns: The columns to read.
        labels: The columns whose numbers stand for names.
    """
    cells = [_read_column(batch.column(column), labels.get(column)) for column in columns]
    return (list(row) for row in zip(*cells, strict=True))


def _read_column(column: Any, labels: Sequence[str] | None) -> list[Any]:
    """Return values as Python's; dates and times as text."""
    kind = column.type
    types = pa.types
    if types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    # `datasets` stores -1 for an unknown label.
    if labels and types.is_integer(kind):
        return [labels[i] if i is not None and 0 <= i < len(labels) else None for i in column.to_pylist()]
    if types.is_float16(kind):
        column = column.cast(pa.float32())  # Arrow cannot write float16 as text
    if types.is_float16(kind) or types.is_float32(kind):
        # Through the shortest text, since 12.99 as a longer float is 12.989999771118164.
        return [None if text is None else float(text) for text in column.cast(pa.string()).to_pylist()]
    checks = (_may_hold_pictures, types.is_integer, types.is_floating, types.is_decimal, types.is_boolean)
    return (column if any(check(kind) for check in checks) else column.cast(pa.string())).to_pylist()


def _may_hold_pictures(kind: Any) -> bool:
    types = pa.types
    checks = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view, types.is_nested)
    return any(check(kind) for check in checks)


def batch_size(schema: Any, columns: Sequence[str]) -> int:
    """Return how many rows to hold at a time, which is few where cells may hold pictures.

    Args:
        schema: The `pyarrow.Schema` of the table.
        columns: The columns that are read.
    """
    has_pictures = any(_may_hold_pictures(schema.field(column).type) for column in columns)
    return _ROWS_PER_BATCH_WITH_PICTURES if has_pictures else _ROWS_PER_BATCH


def class_labels(schema: Any) -> ClassLabels:
    """Return the names of class labels, which the `datasets` library keeps in the metadata of a schema."""
    try:
        # Anyone may have written this metadata. In another shape it is ignored, and labels stay numbers.
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: kind["names"] for name, kind in features.items() if kind.get("_type") == "ClassLabel"}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}


def table_with_splits(
    column_names: list[str],
    read_batches: Callable[[Sequence[str]], Iterator[tuple[str, Any]]],
    labels: ClassLabels,
    *,
    num_splits: int,
) -> RawTable:
    """Return a table whose rows come from the splits of a dataset, one split after another.

    With several splits, a column `split` is added for --split-column, unless the table has one of its own.

    Args:
        column_names: The columns of every split.
        read_batches: Reads given columns; yields pairs of a split's name and a batch of its rows.
        labels: The columns whose numbers stand for names.
        num_splits: The number of splits.
    """
    adds_split = num_splits > 1 and "split" not in column_names

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any]]:
        # Where only the added column is asked for, some real column is read to count the rows.
        stored = [column for column in columns if column in column_names] or column_names[:1]
        for split, batch in read_batches(stored):
            for row in iterate_rows(batch, stored, labels):
                cells = dict(zip(stored, row, strict=True))
                # Only the added column is not among the cells.
                yield [cells.get(column, split) for column in columns]

    return RawTable([*column_names, *(["split"] if adds_split else [])], read_rows)


def split_order(split: str) -> int:
    """Return the sort key of a split: train, validation, test, then the others."""
    return _SPLITS.index(split) if split in _SPLITS else len(_SPLITS)


def error_text(error: Exception) -> str:
    """Return the message of a library's error in one line of limited length."""
    return " ".join(str(error).split())[:_MAX_ERROR_CHARS] or type(error).__name__
