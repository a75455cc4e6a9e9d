"""A JSON array that may be too large for the memory, read item by item."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.encoding import decoding_error
from etalage.catalogue.readers.json_text import BROKEN_JSON, EXACT_DECODER, json_encoding, json_reason
from etalage.catalogue.readers.raw_table import CHUNK_BYTES, MAX_CELL_CHARS
from etalage.errors import EtalageError

__all__ = ["read_array"]

_SPACE = re.compile(r"\s*")
_END_OF_ARRAY = object()


def read_array(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the place and the value of each item of an array, holding one item and one chunk of text at a time.

    Raises:
        EtalageError: The file is not UTF-8, or not an array.
    """
    number = 0
    encoding = json_encoding(path)
    with path.open(encoding=encoding) as file:
        try:
            text = file.read(CHUNK_BYTES)
            position = text.index("[") + 1
            while True:
                place = f"{path.name} row {number + 1}"
                try:
                    item, end = _next_item(text, position, is_first=number == 0)
                except BROKEN_JSON as error:
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
