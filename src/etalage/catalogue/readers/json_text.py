"""The text of JSON files: its encoding, and numbers as they are written."""

import codecs
import json
from decimal import Decimal
from pathlib import Path

from etalage.catalogue.readers.encoding import find_mark

__all__ = ["BROKEN_JSON", "EXACT_DECODER", "json_encoding", "json_head", "json_reason"]

BROKEN_JSON = (json.JSONDecodeError, RecursionError)
"""What decoding a text that is no JSON raises."""

_MAX_DIGITS = 300


def _parse_int(digits: str) -> int | str:
    """Return a whole number; the text of one that no float can hold, and that Python may refuse to read."""
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def _parse_float(text: str) -> Decimal | str:
    """Return a number; the text of one whose exponent is beyond any."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return text


EXACT_DECODER = json.JSONDecoder(
    parse_int=_parse_int, parse_float=_parse_float, parse_constant=lambda s: None if s == "NaN" else str(s)
)
"""A decoder that returns numbers with all the digits that are written, and NaN as no value."""


def json_reason(error: Exception) -> str:
    """Return why a text is not JSON, in words."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def json_encoding(path: Path) -> str:
    """Return the encoding of a JSON file, which is UTF-8 unless a byte order mark says another."""
    with path.open("rb") as file:
        return find_mark(file.read(4)) or "utf-8"


def json_head(path: Path) -> str:
    """Return the beginning of a JSON file from its first character that is no space."""
    encoding = json_encoding(path)
    with path.open("rb") as file:
        return codecs.getincrementaldecoder(encoding)("replace").decode(file.read(4096)).lstrip()
