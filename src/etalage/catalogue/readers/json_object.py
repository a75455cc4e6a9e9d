"""A JSON file that is one object, with the list of products somewhere in it."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.encoding import check_is_text, decoding_error
from etalage.catalogue.readers.json_text import BROKEN_JSON, EXACT_DECODER, json_encoding, json_head, json_reason
from etalage.errors import EtalageError

__all__ = ["find_array", "read_object_array"]

MAX_OBJECT_BYTES = 1 << 29
"""The largest file that is one object, which is held in memory; lines and arrays may be of any size."""

_CONVERSATION_KEYS = ("conversations", "messages")
_MAX_DEPTH = 8
_MAX_SHOWN_NAMES = 8


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


def read_object_array(path: Path, key: str) -> list[dict[str, Any]]:
    """Return the objects of an array within a file that is one object.

    Args:
        path: The file.
        key: The keys that lead to the array, as `find_array` returns them.

    Raises:
        EtalageError: The file has changed, or is too large.
    """
    arrays = dict(_arrays_of_objects(_read_object(path)))
    if key not in arrays:
        raise EtalageError(f"{path.name} has changed while it was read; prepare it again")
    return arrays[key]


def _num_object_lines(path: Path) -> int:
    """Return 1 if a file is one object on its only line, 2 if it is one on several lines, and 0 for all others."""
    if not json_head(path).startswith("{"):
        return 0
    with path.open(encoding=json_encoding(path), newline="\n", errors="replace") as file:
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
        content = EXACT_DECODER.decode(path.read_text(encoding=json_encoding(path)))
    except BROKEN_JSON as error:
        raise EtalageError(
            f"{path.name} is not JSON: {json_reason(error)}; write one object per line, or an array"
        ) from error
    except UnicodeError as error:
        raise decoding_error(path, json_encoding(path), error) from error
    assert isinstance(content, dict), "its first character is a brace"
    return content


def _arrays_of_objects(
    content: Mapping[str, Any], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the arrays of objects within objects, with the keys that lead to them."""
    for name, value in content.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            yield prefix + name, value
        elif isinstance(value, dict) and depth < _MAX_DEPTH:
            yield from _arrays_of_objects(value, f"{prefix}{name}.", depth + 1)
