"""Check values that were read from a file before they are used, and name the one that is wrong."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from etalage.errors import EtalageError

__all__ = [
    "BOOLEAN",
    "NULL",
    "PATH",
    "TEXT",
    "Check",
    "array",
    "check",
    "constant",
    "either",
    "integer",
    "mapping",
    "number",
    "record",
    "tagged",
    "text",
]

_MISSING = object()


class _MismatchError(Exception):
    """A value that is not as expected."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(name, value, expected)
        self.name, self.value, self.expected = name, value, expected


Check = Callable[[str, Any], None]
"""A function of a value's name and the value, made by the functions below."""


def check(found: object, expected: Check, place: str, remedy: str) -> None:
    """Check a value that was read from a file.

    Args:
        found: The value.
        expected: What it has to be.
        place: The file, or a line of it.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: It is something else; the message names the part that is wrong, and what was expected.
    """
    try:
        expected("", found)
    except _MismatchError as wrong:
        name = wrong.name.removeprefix(".") or "its content"
        shown = "missing" if wrong.value is _MISSING else _shorten(wrong.value)
        raise EtalageError(f"{place}: {name} is {shown}; expected {wrong.expected}; {remedy}") from None


def integer(least: int = -(2**63), most: int = 2**63 - 1) -> Check:
    """Accept whole numbers between two limits; true and 1.0 are none.

    Args:
        least: The smallest one.
        most: The largest one.
    """
    words = "an integer" if (least, most) == (-(2**63), 2**63 - 1) else f"an integer from {least} to {most}"
    return _accept(words, lambda value: type(value) is int and least <= value <= most)


def number(least: float = -math.inf, most: float = math.inf, *, above: float = -math.inf) -> Check:
    """Accept numbers between two limits.

    Args:
        least: The smallest one.
        most: The largest one.
        above: A number that has to be exceeded.
    """
    words = "a number"
    words += f" above {above:g}" if above > -math.inf else f" from {least:g}" if least > -math.inf else ""
    words += f" up to {most:g}" if most < math.inf else ""
    return _accept(words, lambda value: type(value) in (int, float) and least <= value <= most and value > above)


def constant(*values: object) -> Check:
    """Accept some values only.

    Args:
        values: These.
    """
    words = " or ".join(json.dumps(value) for value in values)
    # Types, too, since 1 equals True.
    return _accept(words, lambda found: any(type(found) is type(value) and found == value for value in values))


def either(*checks: Check) -> Check:
    """Accept what one of several checks accepts.

    Args:
        checks: The checks; their expectations are joined.
    """

    def check_any(name: str, value: Any) -> None:
        words = []
        for check_one in checks:
            try:
                return check_one(name, value)
            except _MismatchError as wrong:
                if wrong.name != name:  # of the right type, but wrong within
                    raise
                words.append(wrong.expected)
        raise _MismatchError(name, value, " or ".join(words))

    return check_any


def array(each: Check, least: int = 0, most: int | None = None) -> Check:
    """Accept lists.

    Args:
        each: What every item has to be.
        least: The smallest number of items.
        most: The largest number of items; None is any.
    """
    words = "a list"
    if most is not None:
        words += f" of {most} items" if least == most else f" of {least} to {most} items"

    def check_items(name: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) < least or (most is not None and len(value) > most):
            raise _MismatchError(name, value, words)
        for index, item in enumerate(value):
            each(f"{name}[{index}]", item)

    return check_items


def mapping(each: Check) -> Check:
    """Accept objects with any keys.

    Args:
        each: What every value has to be.
    """

    def check_values(name: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise _MismatchError(name, value, "an object")
        for key, item in value.items():
            each(f"{name}.{key}", item)

    return check_values


def record(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *, closed: bool = False
) -> Check:
    """Accept objects with certain keys.

    Args:
        required: Keys that have to be there, and what their values have to be.
        optional: Keys that may be there.
        closed: Refuse other keys.
    """
    optional = optional or {}

    def check_keys(name: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise _MismatchError(name, value, "an object")
        for key, check_one in {**required, **optional}.items():
            if key in value:
                check_one(f"{name}.{key}", value[key])
            elif key in required:
                raise _MismatchError(f"{name}.{key}", _MISSING, "a value")
        if closed and (unknown := sorted(value.keys() - required.keys() - optional.keys())):
            raise _MismatchError(f"{name}.{unknown[0]}", value[unknown[0]], "no key of this name")

    return check_keys


def tagged(key: str, kinds: Mapping[str, Check]) -> Check:
    """Accept objects of several kinds, one of whose keys says which.

    Args:
        key: That key.
        kinds: What an object has to be, by the value of the key.
    """

    def check_kind(name: str, value: Any) -> None:
        record({key: constant(*kinds)})(name, value)
        kinds[value[key]](name, value)

    return check_kind


def text(most: int) -> Check:
    """Accept texts up to a length.

    Args:
        most: The largest number of characters.
    """
    return _accept(f"a text of at most {most} characters", lambda value: isinstance(value, str) and len(value) <= most)


def _accept(words: str, accepts: Callable[[Any], bool]) -> Check:
    def check_value(name: str, value: Any) -> None:
        if not accepts(value):
            raise _MismatchError(name, value, words)

    return check_value


def _shorten(value: object) -> str:
    """Return a value as it stands in the file, but no more than one can read of it."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else f"{text[:57]}..."


TEXT = _accept("a text", lambda value: isinstance(value, str))
PATH = _accept("a path", lambda value: isinstance(value, str) and value != "" and "\0" not in value)
BOOLEAN = _accept("true or false", lambda value: isinstance(value, bool))
NULL = _accept("null", lambda value: value is None)
