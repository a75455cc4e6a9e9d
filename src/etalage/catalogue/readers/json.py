"""JSON: one object per line, one array of objects, or an object that holds such an array."""

import codecs
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.encoding import check_is_text, decoding_error, find_mark
from etalage.catalogue.readers.raw_table import CHUNK_BYTES, MAX_CELL_CHARS, RawTable, RowPositions, UnreadableRow
from etalage.errors import EtalageError

__all__ = ["EXACT_DECODER", "find_array", "json_reason", "open_json", "read_records"]

MAX_OBJECT_BYTES = 1 << 29
"""The largest file that is one object, which is held in memory; lines and arrays may be of any size."""

_MAX_DIGITS = 300
_BROKEN_JSON = (json.JSONDecodeError, RecursionError)
_SPACE = re.compile(r"\s*")
_END_OF_ARRAY = object()
_CONVERSATION_KEYS = ("conversations", "messages")
_PICTURE_KEYS = frozenset(("bytes", "path", "url", "src"))
_MAX_SHOWN_NAMES = 8


def _parse_int(digits: str) -> int | str:
    """Return a whole number; the text of one that no float can hold, and that Python may refuse to read."""
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


EXACT_DECODER = json.JSONDecoder(
    parse_int=_parse_int, parse_float=Decimal, parse_constant=lambda s: None if s == "NaN" else str(s)
)
"""A decoder that returns numbers with all the digits that are written, and NaN as no value."""


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


def _column_names(record: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the names of values; those within an object that is no picture have dots in their names."""
    for name, value in record.items():
        if isinstance(value, dict) and value and not _PICTURE_KEYS.intersection(value):
            yield from _column_names(value, f"{prefix}{name}.")
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
        yield from _get(_read_object(path), key)
        return
    # The file decides, not its suffix: shops export both forms as .json.
    if not _head(path).startswith("["):
        yield from _read_lines(path, positions or RowPositions())
        return
    for place, record in _read_array(path):
        if not isinstance(record, dict):
            raise EtalageError(f"{place} is not an object; write one object per row, with column names as keys")
        yield record


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        return find_mark(file.read(4)) or "utf-8"


def _head(path: Path) -> str:
    encoding = _encoding(path)
    with path.open("rb") as file:
        return codecs.getincrementaldecoder(encoding)("replace").decode(file.read(4096)).lstrip()


def _read_lines(path: Path, positions: RowPositions) -> Iterator[dict[str, Any] | UnreadableRow]:
    """Yield the object of each line that is not blank; a line that holds none is an unreadable row."""
    number = 0
    encoding = _encoding(path)
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
                except _BROKEN_JSON as error:
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


def json_reason(error: Exception) -> str:
    """Return why a text is not JSON, in words."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


# A file that is one object


def find_array(path: Path, key: str) -> str:
    """Return the keys, with dots between them, that lead to the array to read; empty for lines and a bare array.

    Args:
        path: The file.
        key: What the user says; empty if nothing.

    Raises:
        EtalageError: A file that is one object holds no array of objects, or several, or none under the key.
    """
    check_is_text(path)
    num_lines = _num_object_lines(path)
    if not num_lines:
        if key:
            raise EtalageError(f"{path.name} is not an object of lists, and --sheet is {key}; leave it out")
        return ""
    content = _read_object(path)
    arrays = dict(_arrays_of_objects(content))
    if key:
        if key not in arrays:
            raise EtalageError(f"{path.name}: --sheet {key} is none of its lists of objects: {', '.join(arrays)}")
        return key
    if any(isinstance(content.get(name), list) for name in _CONVERSATION_KEYS):
        return ""
    if num_lines == 1 and len(content) > 1:
        # The only line of a table of lines may hold a product with one picture.
        arrays = {name: rows for name, rows in arrays.items() if len(rows) > 1}
    if len(arrays) == 1:
        return next(iter(arrays))
    if arrays:
        counts = ", ".join(f"{name!r} ({len(rows)} rows)" for name, rows in arrays.items())
        raise EtalageError(
            f"{path.name} holds several lists of objects: {counts}; say which with "
            f"--sheet {shlex.quote(next(iter(arrays)))}"
        )
    values = list(content.values())
    is_by_column = len(values) > 1 and all(isinstance(value, dict | list) and len(value) > 1 for value in values)
    if num_lines > 1 or is_by_column or values == [[]]:
        names = ", ".join(list(map(repr, content))[:_MAX_SHOWN_NAMES])
        raise EtalageError(
            f"{path.name} is one object, of {names}, and holds no list of objects; write a list with an object per "
            "product, as to_json(orient='records') of pandas does"
        )
    return ""


def _num_object_lines(path: Path) -> int:
    """Return 1 if a file is one object on its only line, 2 if it is one on several lines, and 0 for all others."""
    if not _head(path).startswith("{"):
        return 0
    with path.open(encoding=_encoding(path), newline="\n", errors="replace") as file:
        lines = (line for line in file if line.strip())
        first = next(lines, "")
        try:
            EXACT_DECODER.decode(first)
        except json.JSONDecodeError as error:
            return 2 * (error.pos >= len(first.rstrip()))  # nothing is wrong but that it goes on
        except RecursionError:
            return 0
        return int(next(lines, None) is None)


def _read_object(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_OBJECT_BYTES:
        raise EtalageError(f"{path.name} is one object of {path.stat().st_size} bytes; write one object per line")
    try:
        content = EXACT_DECODER.decode(path.read_text(encoding=_encoding(path)))
    except _BROKEN_JSON as error:
        raise EtalageError(
            f"{path.name} is not JSON: {json_reason(error)}; write one object per line, or an array"
        ) from error
    except UnicodeError as error:
        raise decoding_error(path, _encoding(path), error) from error
    assert isinstance(content, dict), "its first character is a brace"
    return content


def _arrays_of_objects(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the arrays of objects within objects, with the keys that lead to them."""
    for name, value in content.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            yield prefix + name, value
        elif isinstance(value, dict):
            yield from _arrays_of_objects(value, f"{prefix}{name}.")


def _get(content: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    return next(rows for name, rows in _arrays_of_objects(content) if name == key)


# An array


def _read_array(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the place and the value of each item of an array, holding one item and one chunk of text at a time."""
    number = 0
    encoding = _encoding(path)
    with path.open(encoding=encoding) as file:
        try:
            text = file.read(CHUNK_BYTES)
            position = text.index("[") + 1
            while True:
                place = f"{path.name} row {number + 1}"
                try:
                    item, end = _next_item(text, position, is_first=number == 0)
                except _BROKEN_JSON as error:
                    # The item may go on after this chunk. Reading at least as much again as is held keeps the work
                    # of decoding a long item anew in proportion to its length.
                    num_left = len(text) - position
                    more = file.read(max(CHUNK_BYTES, num_left)) if num_left < MAX_CELL_CHARS else ""
                    if not more or isinstance(error, RecursionError):
                        raise EtalageError(
                            f"{place} is not JSON: {json_reason(error)}; write an array of objects"
                        ) from error
                    text, position = text[position:] + more, 0
                    continue
                position = end
                if item is _END_OF_ARRAY:
                    break
                number += 1
                yield place, item
            if text[position:].strip() or file.read(CHUNK_BYTES).strip():
                raise EtalageError(f"{path.name} goes on after its array of {number} rows; write one array, or lines")
        except UnicodeError as error:
            raise decoding_error(path, encoding, error) from error


def _next_item(text: str, start: int, *, is_first: bool) -> tuple[Any, int]:
    """Return the next item of an array, or `_END_OF_ARRAY`, and the position after it.

    Raises:
        json.JSONDecodeError: The text is broken, or ends before it is certain that the item is complete.
    """
    position = _skip_space(text, start)
    if text[position : position + 1] == "]":
        return _END_OF_ARRAY, position + 1
    if not is_first:
        if text[position : position + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' or ']'", text, position)
        position = _skip_space(text, position + 1)
    item, end = EXACT_DECODER.raw_decode(text, position)
    if end == len(text):  # the digits of a number may go on
        raise json.JSONDecodeError("Expecting ',' or ']'", text, end)
    return item, end


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    assert match is not None, "the pattern also matches nothing"
    return match.end()
