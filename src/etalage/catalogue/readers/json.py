"""JSON: one object per line, or one array of objects."""

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.encoding import utf8_error
from etalage.catalogue.readers.raw_table import CHUNK_BYTES, MAX_CELL_CHARS, RawTable
from etalage.errors import EtalageError

__all__ = ["VERBATIM_DECODER", "open_json", "read_records"]

VERBATIM_DECODER = json.JSONDecoder(
    parse_int=str, parse_float=str, parse_constant=lambda s: None if s == "NaN" else str(s)
)
"""A decoder that returns numbers as they are written, such as "990.0", and NaN as no value."""

_BROKEN_JSON = (json.JSONDecodeError, RecursionError)
_SPACE = re.compile(r"\s*")
_END_OF_ARRAY = object()


def open_json(path: Path) -> RawTable:
    """Open a table of JSON objects, one per line or all in one array.

    Raises:
        EtalageError: The file is empty or not UTF-8, or a row is not a JSON object.
    """
    names: dict[str, None] = {}
    for record in read_records(path):  # the whole file, since a column may first occur in a late row
        names.update(dict.fromkeys(record))
    if not names:
        raise EtalageError(f"{path.name} is empty; give a file with an object per row")

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any]]:
        return ([record.get(column) for column in columns] for record in read_records(path))

    return RawTable(list(names), read_rows)


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON file, holding few of them at a time.

    Raises:
        EtalageError: The file is not UTF-8 or not JSON, or a row is not an object.
    """
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(codecs.BOM_UTF8).lstrip()
    # The file decides, not its suffix: shops export both forms as .json.
    rows = _read_array(path) if head.startswith(b"[") else _read_lines(path)
    for place, record in rows:
        if not isinstance(record, dict):
            raise EtalageError(f"{place} is not an object; write one object per row, with column names as keys")
        yield record


def _read_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the place and the value of each line that is not blank."""
    number = 0
    with path.open("rb") as file:
        for line_number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if line_number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise utf8_error(path) from error
            if not text.strip():  # blank lines are no rows
                continue
            number += 1
            place = f"{path.name} row {number} (line {line_number})"
            try:
                yield place, VERBATIM_DECODER.decode(text)
            except _BROKEN_JSON as error:
                raise EtalageError(f"{place} is not JSON: {error}; write one object per line") from error


def _read_array(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the place and the value of each item of an array, holding one item and one chunk of text at a time."""
    number = 0
    with path.open(encoding="utf-8-sig") as file:
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
                        raise EtalageError(f"{place} is not JSON: {error}; write an array of objects") from error
                    text, position = text[position:] + more, 0
                    continue
                position = end
                if item is _END_OF_ARRAY:
                    break
                number += 1
                yield place, item
            if text[position:].strip() or file.read(CHUNK_BYTES).strip():
                raise EtalageError(f"{path.name} goes on after its array of {number} rows; write one array, or lines")
        except UnicodeDecodeError as error:
            raise utf8_error(path) from error


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
    item, end = VERBATIM_DECODER.raw_decode(text, position)
    if end == len(text):  # the digits of a number may go on
        raise json.JSONDecodeError("Expecting ',' or ']'", text, end)
    return item, end


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    assert match is not None, "the pattern also matches nothing"
    return match.end()
