"""Parquet: one table in one file or in several shards."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etalage.catalogue.readers.arrow import ARROW_ERRORS, batch_size, class_labels, error_text, iterate_rows
from etalage.catalogue.readers.raw_table import RawTable
from etalage.errors import EtalageError

__all__ = ["open_parquet"]

_BUFFER_BYTES = 1 << 20


def open_parquet(paths: Sequence[Path]) -> RawTable:
    """Open the shards of one table.

    Raises:
        EtalageError: A file is not Parquet, or lacks a column that the first file has. Also while reading.
    """
    column_names = list(_read_schema(paths[0]).names)
    for path in paths[1:]:
        if missing := set(column_names).difference(_read_schema(path).names):
            raise EtalageError(
                f"{path.name} has no column {min(missing)!r}, which {paths[0].name} has; prepare one of the two tables"
            )

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any]]:
        for path in paths:
            try:
                # Without a buffer size, a whole column chunk of pictures would be held in memory.
                with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
                    schema = file.schema_arrow
                    size = batch_size(schema, columns)
                    for batch in file.iter_batches(batch_size=size, columns=list(columns)):
                        yield from iterate_rows(batch, columns, class_labels(schema))
            except ARROW_ERRORS as error:
                raise _unreadable(path, error) from error

    return RawTable(column_names, read_rows)


def _read_schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except ARROW_ERRORS as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> EtalageError:
    return EtalageError(f"{path.name} cannot be read as Parquet: {error_text(error)}")
