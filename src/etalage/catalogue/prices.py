"""Prices as people write them -> amounts: $1,299.00, 1.299,00 €, CHF 1'299.-, ab 99 €, 99 - 250.

The place of a separator mostly says what it means: `1,299.00` and `12,50` can be read in one way only. `1.299` can be
read in two. Then the column's other prices decide (`find_decimal_mark`). Where they do not either, a single separator
before exactly three digits stands for thousands, except after a leading zero.
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from etalage.catalogue.price_words import (
    CURRENCY_CODES,
    CURRENCY_SIGNS,
    FREE_WORDS,
    HIGHEST_WORDS,
    LOOKALIKES,
    LOWEST_WORDS,
    MISSING_WORDS,
    NOISE_WORDS,
    SHARED_SIGNS,
)
from etalage.config import PriceRange

__all__ = ["Amount", "BadPrice", "DecimalMark", "Reason", "find_decimal_mark", "parse_amount"]

DecimalMark = Literal["auto", ".", ","]
Reason = Literal["price_missing", "price_unparsable", "price_is_range", "price_negative", "price_zero"]

MAX_AMOUNT = 1e12
MAX_CHARS = 200

_MAX_NUMBER_CHARS = 40
_MAX_SHOWN_CHARS = 100

# It ends in a digit: a point or comma after it belongs to _NO_CENTS.
_NUMBER = r"(?:\d[\d., ']*)?\d|[.,]\d+"
_NO_CENTS = r"(?:[.,](?: ?-{1,2})?)?"  # 99.- and 99,--
# Longest first, since the first alternative that fits is taken: $CA would be read as $, which mostly means USD.
_ANY_CURRENCY = "|".join(
    re.escape(mark) for mark in sorted([*CURRENCY_CODES, *CURRENCY_SIGNS, *SHARED_SIGNS], key=len, reverse=True)
)
# No letter may follow a mark: the KR in KRONE is none.
_CURRENCIES = rf"(?:(?:{_ANY_CURRENCY})(?:(?<=[A-Z])\.)?(?![A-Z]) ?)*"  # Rs.500 is 500, but $.99 is 0.99
_PRICE = re.compile(
    rf"(?P<sign>[-+])? ?(?P<before>{_CURRENCIES})(?P<inner_sign>-)? ?"
    rf"(?P<number>{_NUMBER})(?P<no_cents>{_NO_CENTS}) ?(?P<after>{_CURRENCIES})",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"\d+(?:\.\d+)?[eE]\+?\d{1,3}")
_HALF_OPEN_RANGE = re.compile(
    rf"(?:(?P<low>{LOWEST_WORDS})|(?P<high>{HIGHEST_WORDS}))\b:? ?(?P<rest>.+)", re.IGNORECASE
)
_RANGE_MARK = re.compile(r"-|~|\.\.+|\b(?:to|bis|à|a|al|até|until)\b", re.IGNORECASE)
# (?![^\W_]) stands for \b, which fails after the point of `ca.`.
_NOISE = re.compile(rf"^(?:(?:{NOISE_WORDS})(?![^\W_]):? ?)+|(?: (?:{NOISE_WORDS}))+$|\*+$", re.IGNORECASE)


@dataclass(frozen=True)
class Amount:
    """A price that was read."""

    value: float
    """The amount, finite and above zero."""
    currency: str
    """The ISO code; empty if no currency was written."""
    is_range: bool
    """Whether two prices were written, or a lowest or highest one."""


class BadPrice(ValueError):
    """A text that is not the price of a product.

    Args:
        reason: The reason as it is counted among dropped rows.
        detail: The text, and what is wrong with it.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


def parse_amount(text: str, *, price_range: PriceRange, decimal: DecimalMark = "auto") -> Amount:
    """Read a price in digits of any script, with spaces of any width and a currency before or after it.

    >>> parse_amount("1.299,00 €", price_range="low")
    Amount(value=1299.0, currency='EUR', is_range=False)

    Args:
        text: The price as it is written.
        price_range: What to read a range such as 99 - 250 as: its "low" or "high" end, or not at all with "drop".
            `from 99` has only a low end, `up to 250` only a high one.
        decimal: The column's decimal mark, for texts that can be read in two ways.

    Raises:
        BadPrice: The text is not a price. This includes percentages, fractions, exponents other than those of 1e+05,
            several prices that are no range, leading zeros (00123 is a code) and words that are not known here.
    """
    plain = _normalize(text)
    shown = repr(text[:_MAX_SHOWN_CHARS])
    # A lone dash stands for no price.
    if not plain.strip("-. ") or plain.lower() in MISSING_WORDS:
        raise BadPrice("price_missing", shown)
    if plain.lower() in FREE_WORDS:
        raise BadPrice("price_zero", shown)
    try:
        value, currency, is_range = _parse(plain, price_range, decimal)
    except BadPrice as bad:
        raise BadPrice(bad.reason, f"{shown}{bad.detail and ', ' + bad.detail}") from None
    if value < 0:
        raise BadPrice("price_negative", shown)
    # Less than half a cent is nothing in an answer, which writes two decimals.
    if not round(value, 2):
        raise BadPrice("price_zero", shown)
    if not math.isfinite(value) or value > MAX_AMOUNT:
        raise BadPrice("price_unparsable", f"{shown} is above {MAX_AMOUNT:.0e}")
    return Amount(value, currency, is_range)


def find_decimal_mark(texts: Iterable[str]) -> DecimalMark:
    """Return the decimal mark of a column: one that some text needs, if no text needs the other; else "auto"."""
    found: set[str] = set()
    for text in texts:
        for number in re.findall(_NUMBER, _normalize(text)):
            readings = _readings(number)
            if len(readings) == 1 and re.search("[.,]", number):
                found |= set(readings)
    return "auto" if len(found) != 1 else "." if "." in found else ","


def _normalize(text: str) -> str:
    """Return ASCII digits, spaces, dashes and apostrophes; `?` for texts that are too long or hold ½ or ⁹."""
    # NFKC would make 1299 of 12⁹⁹.
    if len(text) > MAX_CHARS or any(c.isnumeric() and not c.isdecimal() for c in text):
        return "?"
    text = unicodedata.normalize("NFKC", text).translate(LOOKALIKES)
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return " ".join(text.split())


def _parse(plain: str, price_range: PriceRange, decimal: DecimalMark) -> tuple[float, str, bool]:
    """Return the value, its currency and whether it is a range."""
    if _SCIENTIFIC.fullmatch(plain):
        return float(plain), "", False
    plain = _NOISE.sub("", plain).strip()
    if match := _HALF_OPEN_RANGE.fullmatch(plain):
        value, currency = _parse_single(match["rest"], decimal)
        if price_range != ("low" if match["low"] else "high"):
            raise BadPrice("price_is_range", f"--price-range is {price_range}")
        return value, currency, True
    # As a single price first: the dashes of `99.-` and `-5` are not those of a range.
    try:
        return *_parse_single(plain, decimal), False
    except BadPrice:
        ends = _parse_range(plain, decimal)
        if ends is None:
            raise
    if price_range == "drop":
        raise BadPrice("price_is_range", "--price-range is drop")
    low, high, currency = ends
    return (low if price_range == "low" else high), currency, True


def _parse_range(plain: str, decimal: DecimalMark) -> tuple[float, float, str] | None:
    """Return both ends and the currency of 99 - 250, or None."""
    # Every mark is tried, since only one of those in `CHF 99.- - 250.-` is between the prices.
    for mark in _RANGE_MARK.finditer(plain):
        try:
            low, low_currency = _parse_single(plain[: mark.start()].strip(), decimal)
            high, high_currency = _parse_single(plain[mark.end() :].strip(), decimal)
        except BadPrice:
            continue
        # Falling ends or two currencies are two prices, not a range.
        if 0 <= low <= high and len({low_currency, high_currency} - {""}) < 2:
            return low, high, low_currency or high_currency
    return None


def _parse_single(text: str, decimal: DecimalMark) -> tuple[float, str]:
    """Return the value, which may be negative, and the currency of one price."""
    in_brackets = re.fullmatch(r"\((.+)\)", text)  # accountants write negative amounts so
    match = _PRICE.fullmatch((in_brackets[1] if in_brackets else text).strip())
    if match is None:
        raise BadPrice("price_unparsable", "")
    value = _parse_number(match["number"], decimal, has_no_cents=bool(match["no_cents"]))
    is_negative = in_brackets or match["sign"] == "-" or match["inner_sign"]
    return -value if is_negative else value, _parse_currency(match["before"] + " " + match["after"])


def _parse_number(number: str, decimal: DecimalMark, *, has_no_cents: bool) -> float:
    readings = _readings(number)
    if has_no_cents:  # then every separator within the number stands for thousands
        readings = {mark: value for mark, value in readings.items() if mark not in number}
    if not readings:
        raise BadPrice("price_unparsable", "its separators fit no way of writing numbers")
    if len(readings) == 2 and decimal == "auto":
        thousands = re.fullmatch(r"[1-9]\d{0,2}([.,])\d{3}", number)
        decimal = "," if thousands and thousands[1] == "." else "."
    if len(readings) == 2:
        return readings[decimal]
    return next(iter(readings.values()))


def _readings(number: str) -> dict[str, float]:
    """Return the values that digits and separators can have, by the decimal mark."""
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


def _parse_currency(marks: str) -> str:
    """Return the code of the one currency that is written, even if twice; a code goes before a shared sign."""
    certain, shared = set(), set()
    for mark in re.findall(_ANY_CURRENCY, marks.upper()):
        if mark in SHARED_SIGNS:
            shared.add(SHARED_SIGNS[mark])
        else:
            certain.add(CURRENCY_SIGNS.get(mark, mark))
    found = certain or shared
    if len(found) > 1:
        raise BadPrice("price_unparsable", "several currencies")
    return found.pop() if found else ""
