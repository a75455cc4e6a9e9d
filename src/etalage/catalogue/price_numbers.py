"""The values that digits with separators can have: 1,299.00 has one, 1.299 has two."""

import re
from collections.abc import Mapping

from etalage.catalogue.currencies import num_decimals
from etalage.config import DecimalMark

__all__ = ["NUMBER", "Readings", "choose_value", "is_ambiguous", "list_readings"]

Readings = Mapping[str, float]
"""The values that a number may have, by the decimal mark."""

NUMBER = r"(?:\d[\d., ']*)?\d|[.,]\d+"
"""Pattern of digits with separators. It ends in a digit: what is after that may stand for no cents, as in `99.-`."""

_MAX_NUMBER_CHARS = 40


def list_readings(number: str) -> Readings:
    """Return the values that digits and separators can have, by the decimal mark.

    >>> list_readings("12,50"), list_readings("1.299")
    ({',': 12.5}, {'.': 1.299, ',': 1299.0})

    Args:
        number: A text that matches `NUMBER`.
    """
    readings = {}
    for mark, thousands in (".,", ",."):
        # (?P=s) asks for one and the same separator. India groups by two digits before the last three.
        grouped = rf"[1-9]\d{{0,2}}(?P<s>[{thousands} '])\d{{3}}(?:(?P=s)\d{{3}})*"
        indian = rf"[1-9]\d?(?:[{thousands}]\d\d)+[{thousands}]\d{{3}}"
        match = re.fullmatch(rf"(?P<whole>0|[1-9]\d*|{grouped}|{indian})?(?:[{mark}](?P<cents>\d+))?", number)
        if match and len(number) < _MAX_NUMBER_CHARS:
            # Built as text, so that the float is the nearest one to what was written.
            digits = re.sub(r"\D", "", match["whole"] or "0")
            readings[mark] = float(f"{digits}.{match['cents'] or 0}")
    return readings


def is_ambiguous(readings: Readings) -> bool:
    """Return whether the value depends on the decimal mark."""
    return len(set(readings.values())) > 1


def choose_value(readings: Readings, decimal: DecimalMark, currency: str) -> float:
    """Return the value of a number that can be read at all.

    Only one separator before exactly three digits can be read in two ways.

    Args:
        readings: What `list_readings` returned.
        decimal: The column's decimal mark.
        currency: The code or sign of the currency. Without decimals, as in JPY, the separator stands for thousands;
            with three, as in KWD, and an unknown mark, it is the decimal one. Else `auto` reads thousands.
    """
    values = readings.values()
    if not is_ambiguous(readings) or not num_decimals(currency):
        return max(values)
    if decimal != "auto":
        return readings[decimal]
    return min(values) if num_decimals(currency) == 3 else max(values)
