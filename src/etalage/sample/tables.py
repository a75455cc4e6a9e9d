"""Tables on disk that are written a few rows at a time."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["CsvTable", "ParquetTable", "Table"]

_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""The type that the datasets library gives images."""
_TYPES = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}


class Table(Protocol):
    """A table that can be appended to."""

    def write(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Append rows, given as values by column; all of them have the same columns in the same order."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


class CsvTable:
    """A CSV file with a header line.

    Args:
        path: The file to write.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer: csv.DictWriter[str] | None = None

    def write(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Append rows, given as values by column."""
        if self._writer is None:
            # The csv module would end lines with \r\n.
            self._writer = csv.DictWriter(self._file, list(records[0]), lineterminator="\n")
            self._writer.writeheader()
        self._writer.writerows(records)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class ParquetTable:
    """One or several Parquet files, with a row group per call of `write`. The first call decides the columns' types.

    Args:
        path: The file to write. With `rows_per_file`, a format string with a place for the file's number.
        rows_per_file: The number of rows after which a new file begins, a multiple of the rows in each call of
            `write`; None for a single file.
        text_only: Whether numbers are written as text, for columns whose later values may be words.
    """

    def __init__(self, path: str, rows_per_file: int | None = None, *, text_only: bool = False) -> None:
        self._path, self._rows_per_file, self._text_only = path, rows_per_file, text_only
        self._schema: pa.Schema | None = None
        self._file: pq.ParquetWriter | None = None
        self._num_written = 0

    def write(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Append rows, given as values by column."""
        if self._schema is None:
            self._schema = pa.schema([(name, self._type(name, records)) for name in records[0]])
        if self._file is None or (self._rows_per_file and self._num_written % self._rows_per_file == 0):
            self.close()  # rows so far are complete on disk, only the current file is open
            path = Path(self._path.format((self._num_written // self._rows_per_file) if self._rows_per_file else 0))
            path.parent.mkdir(exist_ok=True)
            self._file = pq.ParquetWriter(path, self._schema)
        columns = [[_convert(record[field.name], field.type) for record in records] for field in self._schema]
        self._file.write_table(pa.table(columns, schema=self._schema))
        self._num_written += len(records)

    def _type(self, name: str, records: Sequence[Mapping[str, Any]]) -> pa.DataType:
        # A column without any value is taken for text, the only type that holds whatever comes later.
        value = next((record[name] for record in records if record[name] is not None), "")
        if isinstance(value, dict):
            return _PICTURE
        # By the exact type: a bool is an int for `isinstance`.
        return pa.string() if self._text_only else _TYPES[type(value)]

    def close(self) -> None:
        """Finish the current file."""
        if self._file is not None:
            self._file.close()


def _convert(value: Any, to: pa.DataType) -> Any:
    return str(value) if to == pa.string() and value is not None else value
