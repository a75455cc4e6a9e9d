"""JSON: one object per line, one array of objects, or an object that holds such an array."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.encoding import decoding_error
from etalage.catalogue.readers.json_array import read_array
from etalage.catalogue.readers.json_object import find_array, read_object_array
from etalage.catalogue.readers.json_text import BROKEN_JSON, EXACT_DECODER, json_encoding, json_head, json_reason
from etalage.catalogue.readers.raw_table import RawTable, RowPositions, UnreadableRow
from etalage.errors import EtalageError

__all__ = ["open_json", "read_records"]

_MAX_DEPTH = 8
_PICTURE_KEYS = frozenset(("bytes", "path", "url", "src"))


def open_json(path: Path, key: str = "") -> RawTable:
    """Open a table of JSON objects.

    Args:
        path: The file: an object per line, an array of objects, or an object with one or several such arrays.
        key: Names the array to read of several; the keys that lead to it have dots between them.

    Raises:
        EtalageError: The file is empty or not UTF-8, a row of an array is not a JSON object, or it is not clear which
            of several arrays to read.
    """
    names: dict[str, None] = {}
    found_key = find_array(path, key)
    for record in read_records(path, found_key):  # the whole file, since a column may first occur in a late row
        names.update(dict.fromkeys([] if isinstance(record, UnreadableRow) else _column_names(record)))
    if not names:
        raise EtalageError(f"{path.name} is empty; give a file with an object per row")
    positions = RowPositions("line")

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any] | UnreadableRow]:
        for record in read_records(path, found_key, positions):
            yield record if isinstance(record, UnreadableRow) else [_cell(record, column) for column in columns]

    note = f"its rows are those under {found_key!r}" if found_key else ""
    return RawTable(list(names), read_rows, note, positions.place_of)


def _column_names(record: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the names of values; those within an object that is no picture have dots in their names."""
    for name, value in record.items():
        is_picture = isinstance(value, dict) and _PICTURE_KEYS.intersection(value)
        if isinstance(value, dict) and value and not is_picture and depth < _MAX_DEPTH:
            yield from _column_names(value, f"{prefix}{name}.", depth + 1)
        else:
            yield prefix + name


def _cell(record: Mapping[str, Any], column: str) -> Any:
    """Return the value under a name, of which a dot may divide the names of objects within one another."""
    if column in record:
        return record[column]
    first, _, rest = column.partition(".")
    while rest:
        if isinstance(inner := record.get(first), dict) and (value := _cell(inner, rest)) is not None:
            return value
        word, _, rest = rest.partition(".")
        first = f"{first}.{word}"
    return None


def read_records(
    path: Path, key: str = "", positions: RowPositions | None = None
) -> Iterator[dict[str, Any] | UnreadableRow]:
    """Yield the objects of a JSON file, holding few of them at a time.

    Args:
        path: The file.
        key: Where the array is, in a file that is one object; empty for lines or an array.
        positions: Takes the line of each row of a file with an object per line.

    Raises:
        EtalageError: The file is not UTF-8 or its first row is not JSON; in an array, a row is not an object.
    """
    if key:
        yield from read_object_array(path, key)
        return
    # The file decides, not its suffix: shops export both forms as .json.
    if not json_head(path).startswith("["):
        yield from _read_lines(path, positions or RowPositions())
        return
    for place, record in read_array(path):
        if not isinstance(record, dict):
            raise EtalageError(f"{place} is not an object; write one object per row, with column names as keys")
        yield record


def _read_lines(path: Path, positions: RowPositions) -> Iterator[dict[str, Any] | UnreadableRow]:
    """Yield the object of each line that is not blank; a line that holds none is an unreadable row."""
    number = 0
    encoding = json_encoding(path)
    try:
        # A line ends where JSON's own line feed is, and at no other sign that Unicode has for it.
        with path.open(encoding=encoding, newline="\n") as file:
            for line_number, line in enumerate(file, 1):
                if not line.strip():  # blank lines are no rows
                    continue
                number += 1
                positions.add(number, line_number)
                try:
                    record = EXACT_DECODER.decode(line)
                except BROKEN_JSON as error:
                    if number == 1:
                        raise EtalageError(
                            f"{path.name} row 1 (line {line_number}) is not JSON: {json_reason(error)}; "
                            "write one object per line"
                        ) from error
                    yield UnreadableRow("row_not_json", f"line {line_number} is not JSON: {json_reason(error)}")
                    continue
                if not isinstance(record, dict):
                    if number == 1:
                        raise EtalageError(
                            f"{path.name} row 1 (line {line_number}) is not an object; write one object per row, with "
                            "column names as keys"
                        )
                    yield UnreadableRow("row_not_json", f"line {line_number} is not an object")
                    continue
                yield record
    except UnicodeError as error:
        raise decoding_error(path, encoding, error) from error
