"""A catalogue's Parquet tables, read one column at a time as numbers.

A table is read in batches and each column is kept as some bytes per product, never as text, so that the memory needed
does not grow with the texts. Only the rows that are shown are read whole.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from etalage.html.formatting import visible_text
from etalage.task import Field

__all__ = [
    "MAX_CATEGORIES",
    "Categories",
    "Floats",
    "Hashes",
    "Integers",
    "count_missing",
    "count_suffixes",
    "read_categories",
    "read_floats",
    "read_hashes",
    "read_integers",
    "read_lengths",
    "read_rows",
]

Integers = NDArray[np.integer[Any]]
Hashes = NDArray[np.uint64]
Floats = NDArray[np.float64]

MAX_CATEGORIES = 65_536
"""The number of different values of a column that are counted; a column with more hardly holds categories."""

_BATCH_ROWS, _BUFFER_BYTES = 16_384, 1 << 20


@dataclass(frozen=True)
class Categories:
    """A column of few different values."""

    codes: Integers
    """The number of each row's value; -1 for values beyond MAX_CATEGORIES."""
    names: list[str]
    """The values by code, as they are shown."""
    counts: list[int]
    """The number of rows by code."""

    @property
    def by_count(self) -> list[int]:
        """The codes, the most frequent first."""
        return sorted(range(len(self.names)), key=lambda code: (-self.counts[code], self.names[code], code))


def read_integers(table: Path, column: str, dtype: Any) -> Integers:
    """Read a column of numbers or booleans as integers; nulls become 0.

    Args:
        table: A Parquet file.
        column: The name of the column.
        dtype: The NumPy dtype of the result.
    """
    return _read(table, column, lambda batch: pc.fill_null(pc.cast(batch, pa.int64()), 0).to_numpy(), dtype)


def read_floats(table: Path, column: str) -> Floats:
    """Read a column of numbers as float64; nulls become NaN.

    Args:
        table: A Parquet file.
        column: The name of the column.
    """
    # A column with nulls has to be copied; NumPy gets them as NaN.
    return _read(table, column, lambda batch: pc.cast(batch, pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def read_lengths(table: Path, column: str) -> Integers:
    """Read the number of characters of each text; nulls have none.

    Args:
        table: A Parquet file.
        column: The name of a column of texts.
    """
    return _read(table, column, lambda batch: pc.fill_null(pc.utf8_length(batch), 0).to_numpy(), np.int32)


def read_hashes(table: Path, column: str) -> Hashes:
    """Read a column of texts as 64-bit hashes, which are equal for equal texts.

    Args:
        table: A Parquet file.
        column: The name of a column of texts.
    """
    return _read(
        table,
        column,
        lambda batch: np.fromiter((_hash(text) for text in batch.to_pylist()), np.uint64, len(batch)),
        np.uint64,
    )


def read_categories(table: Path, column: str) -> Categories:
    """Read a column of few different texts as codes.

    Args:
        table: A Parquet file.
        column: The name of a column of texts.
    """
    # Keyed by hash and named by the text as shown: a column of long texts would not fit in memory.
    known: dict[int, int] = {}
    names: list[str] = []

    def encode(text: str | None) -> int:
        key = _hash(text)
        if key not in known and len(known) < MAX_CATEGORIES:
            known[key] = len(names)
            names.append(visible_text(text or "(none)"))
        return known.get(key, -1)

    def convert(batch: Any) -> NDArray[Any]:
        # Python sees each different text of a batch once, and not every row.
        encoded = pc.fill_null(batch, "").dictionary_encode()
        codes = np.array([encode(text) for text in encoded.dictionary.to_pylist()], np.int32)
        return codes[encoded.indices.to_numpy()]

    codes = _read(table, column, convert, np.int32)
    return Categories(codes, names, np.bincount(codes[codes >= 0], minlength=len(names)).tolist())


def count_missing(table: Path, field: Field) -> int:
    """Count the products without a value in a field.

    Args:
        table: A Parquet file with a column per field.
        field: A field of the task.
    """
    if field.kind == "price":
        return int(np.isnan(read_floats(table, field.name)).sum())
    is_empty = _read(table, field.name, lambda batch: pc.equal(pc.fill_null(batch, ""), "").to_numpy(False), bool)
    return int(is_empty.sum())


def count_suffixes(table: Path, max_suffixes: int) -> list[tuple[str, int]]:
    """Count the suffixes of picture files, the most frequent first.

    Args:
        table: A Parquet file with a column file_name.
        max_suffixes: Further ones are counted as "others".
    """
    totals: dict[str, int] = {}
    for batch in _batches(table, ["file_name"]):
        suffixes = pc.replace_substring_regex(pc.fill_null(batch.column(0), ""), r"(?s)^.*\.", "")
        for found in pc.value_counts(suffixes).to_pylist():
            name = visible_text(found["values"], 12)
            # Known ones are counted on when there is no room for another.
            if name not in totals and len(totals) >= max_suffixes:
                name = "others"
            totals[name] = totals.get(name, 0) + found["counts"]
    return sorted(totals.items(), key=lambda item: (-item[1], item[0]))


def read_rows(table: Path, rows: Sequence[int], columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the place and the values of some rows, in the table's order.

    Args:
        table: A Parquet file.
        rows: Places of rows, in any order, with or without repeats.
        columns: The names of the columns to read.
    """
    places, start = np.unique(np.array(rows, np.int64)), 0
    for batch in _batches(table, list(dict.fromkeys(columns))):
        low, high = np.searchsorted(places, (start, start + batch.num_rows))
        if low < high:
            found = batch.take(pa.array(places[low:high] - start)).to_pylist()
            yield from zip(places[low:high].tolist(), found, strict=True)
        start += batch.num_rows


def _read(table: Path, column: str, convert: Callable[[Any], NDArray[Any]], dtype: Any) -> NDArray[Any]:
    with pq.ParquetFile(table) as file:
        values = np.empty(file.metadata.num_rows, dtype)
    start = 0
    for batch in _batches(table, [column]):
        values[start : start + batch.num_rows] = convert(batch.column(0))
        start += batch.num_rows
    return values


def _batches(table: Path, columns: list[str]) -> Iterator[Any]:
    # Arrow's threads read ahead, and without a buffer size a whole row group: both would grow with the table.
    with pq.ParquetFile(table, buffer_size=_BUFFER_BYTES) as file:
        yield from file.iter_batches(_BATCH_ROWS, columns=columns, use_threads=False)


def _hash(text: str | None) -> int:
    # Eight bytes are enough: among a million texts two collide with a chance of one in forty million.
    data = (text or "").encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
