"""Read JSON and text files that may be damaged or hostile: only regular files, under a size, into plain values."""

import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from etalage.errors import EtalageError

__all__ = ["parse_json", "read_bytes", "read_json", "read_json_lines", "read_json_object", "read_text"]

MAX_BYTES = 64 << 20
"""The size that a file may have unless its reader says otherwise."""
# transformers writes 10^30 for "no limit" into tokenizer_config.json.
_MAX_DIGITS = 40


def read_bytes(path: Path, *, remedy: str, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a regular file. A pipe or a device, which may never end, is refused before it is opened.

    Args:
        path: The file.
        remedy: What the user can do, as the end of a sentence.
        max_bytes: The size from which the file is refused.

    Raises:
        EtalageError: There is no such file, it is not a regular one, or it is too large.
    """
    try:
        # Before it is opened, since opening some devices has effects; and after, since it may have been replaced.
        _check(path, path.stat(), remedy, max_bytes)
        # Without waiting: a pipe that nobody writes to would block here.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            _check(path, os.fstat(descriptor), remedy, max_bytes)
            return file.read(max_bytes)
    except (OSError, ValueError) as error:  # a ValueError is a NUL in the path
        if isinstance(error, EtalageError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise EtalageError(f"{str(path)!r} cannot be read ({reason}); {remedy}") from error


def read_text(path: Path, *, remedy: str, max_bytes: int = MAX_BYTES) -> str:
    """Read a regular file in UTF-8.

    Args:
        path: The file.
        remedy: What the user can do, as the end of a sentence.
        max_bytes: The size from which the file is refused.

    Raises:
        EtalageError: The file cannot be read, is not a regular one, is too large, or is not UTF-8.
    """
    try:
        return read_bytes(path, remedy=remedy, max_bytes=max_bytes).decode("utf-8")
    except UnicodeDecodeError as error:
        raise EtalageError(f"{path} is damaged (byte {error.start} is not UTF-8); {remedy}") from error


def read_json(path: Path, *, remedy: str, max_bytes: int = MAX_BYTES) -> Any:
    """Read a JSON file.

    Args:
        path: The file.
        remedy: What the user can do, as the end of a sentence.
        max_bytes: The size from which the file is refused.

    Raises:
        EtalageError: The file cannot be read, or `parse_json` refuses its text.
    """
    return parse_json(read_text(path, remedy=remedy, max_bytes=max_bytes), str(path), remedy=remedy)


def read_json_object(path: Path, *, remedy: str, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Args:
        path: The file.
        remedy: What the user can do, as the end of a sentence.
        max_bytes: The size from which the file is refused.

    Raises:
        EtalageError: As for `read_json`, or the file holds something else.
    """
    return _as_object(read_json(path, remedy=remedy, max_bytes=max_bytes), str(path), remedy)


def read_json_lines(path: Path, *, remedy: str, max_bytes: int = 1 << 30) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read a file with a JSON object in each line.

    Args:
        path: The file.
        remedy: What the user can do, as the end of a sentence.
        max_bytes: The size from which the file is refused.

    Yields:
        The place of a line in words, such as "log.jsonl line 3", and its object.

    Raises:
        EtalageError: As for `read_json`, or a line holds something else.
    """
    lines = read_text(path, remedy=remedy, max_bytes=max_bytes).split("\n")
    if lines and not lines[-1]:
        lines.pop()  # after the last line end
    for number, line in enumerate(lines, 1):
        place = f"{path} line {number}"
        yield place, _as_object(parse_json(line, place, remedy=remedy), place, remedy)


def parse_json(text: str, place: str, *, remedy: str) -> Any:
    """Parse a text as JSON, of which Python's own parser takes more than others write.

    Args:
        text: The text.
        place: Where it is from, for messages.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: It is not JSON, is nested too deeply, names a key twice, or holds a number that is not finite or
            has more than 40 digits, or half of a surrogate pair.
    """
    try:
        found = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_parse_int,
            parse_float=_parse_float,
        )
        if "\\u" in text:  # the only way in which half a pair gets in: UTF-8 has none
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except RecursionError as error:
        raise EtalageError(f"{place} is damaged (it is nested too deeply); {remedy}") from error
    except UnicodeEncodeError as error:
        raise EtalageError(f"{place} is damaged (it holds half of a surrogate pair); {remedy}") from error
    except ValueError as error:
        raise EtalageError(f"{place} is damaged ({error}); {remedy}") from error


def _check(path: Path, status: os.stat_result, remedy: str, max_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
        raise EtalageError(f"{path} is {kind}, not a file; {remedy}")
    if status.st_size >= max_bytes:
        raise EtalageError(
            f"{path} has {status.st_size:,} bytes, and files of its kind have less than {max_bytes:,}; {remedy}"
        )


def _as_object(found: Any, place: str, remedy: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise EtalageError(f"{place} is damaged (found a {type(found).__name__}, not an object); {remedy}")
    return found


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _parse_int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number
