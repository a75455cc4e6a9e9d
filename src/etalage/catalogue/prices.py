"""Prices as people write them -> amounts: $1,299.00, 1.299,00 €, CHF 1'299.-, ab 99 €, 99 - 250, statt 99 nur 79.

The place of a separator mostly says what it means: `1,299.00` and `12,50` can be read in one way only. `1.299` can be
read in two. Then the currency decides, or the column's other prices (price_columns.py). Where they do not either, a
single separator before exactly three digits stands for thousands, except after a leading zero.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

from etalage.catalogue.currencies import CURRENCY_PATTERN, SHARED_SIGNS, parse_currency
from etalage.catalogue.price_numbers import NUMBER, Readings, choose_value, is_ambiguous, list_readings
from etalage.catalogue.price_phrases import (
    is_missing_price,
    normalize_price,
    split_former_price,
    split_range,
    strip_notes,
)
from etalage.catalogue.price_words import FREE_WORDS
from etalage.config import DecimalMark, PriceRange

__all__ = ["Amount", "BadPrice", "Reason", "check_number", "find_decimal_mark", "parse_amount", "round_price"]

Reason = Literal[
    "price_missing",
    "price_unparsable",
    "price_is_range",
    "price_negative",
    "price_zero",
    "price_per_quantity",
    "price_other_currency",
]

MAX_AMOUNT = 1e12

_MAX_SHOWN_CHARS = 100

_NO_CENTS = r"(?:[:/]-{1,2}|[.,](?: ?-{1,2})?)?"  # 99.- and 99,-- and 99:- and 99/-
# No letter may follow a mark: the KR in KRONE is none.
_CURRENCIES = rf"(?:(?:{CURRENCY_PATTERN})(?:(?<=\w)\.)?(?![^\W\d_]) ?)*"  # Rs.500 is 500, but $.99 is 0.99
_PRICE = re.compile(
    rf"(?P<sign>[-+])? ?(?P<before>{_CURRENCIES})(?P<inner_sign>-)? ?"
    rf"(?P<number>{NUMBER})(?P<no_cents>{_NO_CENTS}) ?(?P<after>{_CURRENCIES})",
    re.IGNORECASE,
)
_MARK_AS_POINT = re.compile(r"(?P<whole>\d+)(?P<mark>€|euros?|eur|£|\$|zł)(?P<cents>\d\d)", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"\d+(?:\.\d+)?[eE]\+?\d{1,3}")


@dataclass(frozen=True)
class Amount:
    """A price that was read."""

    value: float
    """The amount, finite and above zero."""
    currency: str
    """The ISO code; empty if no currency was written. For a sign of several currencies, the usual one."""
    is_range: bool
    """Whether two prices were written, or a lowest or highest one."""
    sign: str = field(default="", repr=False, compare=False)
    """The sign that was written, if several currencies share it."""
    readings: Readings = field(default_factory=dict, repr=False, compare=False)
    """The values that the number may have, by the decimal mark."""


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


class _Single(NamedTuple):
    """One price, which may be negative."""

    value: float
    currency: str
    """A code or a shared sign."""
    readings: Readings


def parse_amount(text: str, *, price_range: PriceRange, decimal: DecimalMark = "auto", currency: str = "") -> Amount:
    """Read a price in digits of any script, with spaces of any width and a currency before or after it.

    >>> parse_amount("1.299,00 €", price_range="low")
    Amount(value=1299.0, currency='EUR', is_range=False)

    Args:
        text: The price as it is written.
        price_range: What to read a range such as 99 - 250 as: its "low" or "high" end, or not at all with "drop".
            `from 99` has only a low end, `up to 250` only a high one.
        decimal: The column's decimal mark, for texts that can be read in two ways.
        currency: The currency of texts that name none: a code or a sign of `SHARED_SIGNS`.

    Raises:
        BadPrice: The text is not a price. This includes percentages, fractions, exponents other than those of 1e+05,
            several prices that are no range, leading zeros (00123 is a code), prices of 100 g and words that are not
            known here.
    """
    plain = normalize_price(text)
    shown = repr(text[:_MAX_SHOWN_CHARS])
    if is_missing_price(plain):
        raise BadPrice("price_missing", shown)
    if plain.casefold() in FREE_WORDS:
        raise BadPrice("price_zero", shown)
    try:
        found, is_range = _parse(plain, price_range, decimal, currency)
    except BadPrice as bad:
        raise BadPrice(bad.reason, f"{shown}{bad.detail and ', ' + bad.detail}") from None
    check_number(found.value, shown)
    shared = SHARED_SIGNS.get(found.currency)
    sign = found.currency if shared else ""
    return Amount(found.value, shared[0] if shared else found.currency, is_range, sign, found.readings)


def check_number(value: float, shown: str) -> None:
    """Check that a number can be a price.

    Args:
        value: The number.
        shown: The number as the table has it, for the message.

    Raises:
        BadPrice: It is negative, zero, infinite or larger than any price.
    """
    if math.isnan(value) or value > MAX_AMOUNT:
        raise BadPrice("price_unparsable", shown if math.isnan(value) else f"{shown} is above {MAX_AMOUNT:.0e}")
    if value < 0:
        raise BadPrice("price_negative", shown)
    # Less than half a cent is nothing in an answer, which writes two decimals.
    if not round_price(value):
        raise BadPrice("price_zero", shown)


def round_price(value: float | Decimal) -> float:
    """Return a price with two decimals, as the answer writes it; half a cent is rounded up, as people do it.

    >>> round_price(4.125)
    4.13
    """
    return float(Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def find_decimal_mark(texts: Iterable[str]) -> DecimalMark:
    """Return the decimal mark of some texts: one that some text needs, if no text needs the other; else "auto"."""
    found: set[str] = set()
    for text in texts:
        for number in re.findall(NUMBER, normalize_price(text)):
            readings = list_readings(number)
            if len(readings) == 1 and re.search("[.,]", number):
                found |= set(readings)
    return "auto" if len(found) != 1 else "." if "." in found else ","


def _parse(plain: str, price_range: PriceRange, decimal: DecimalMark, currency: str) -> tuple[_Single, bool]:
    """Return the price that is asked, and whether it is an end of a range."""
    if _SCIENTIFIC.fullmatch(plain):
        return _Single(float(plain), currency, {}), False
    # As a single price first: most are, and the dashes of `99.-` and `-5` are not those of a range.
    try:
        return _parse_single(plain, decimal, currency), False
    except BadPrice as bad:
        unparsable = bad
    rest, quantity = strip_notes(plain)
    if rest != plain:
        stripped = _parse(rest, price_range, decimal, currency)
        if quantity:
            raise BadPrice("price_per_quantity", f"a price {quantity}, not of the product")
        return stripped
    for now_text, former_text in split_former_price(plain):
        try:
            now, is_range = _parse(now_text, price_range, decimal, currency)
            former, _ = _parse(former_text, "low" if price_range == "drop" else price_range, decimal, currency)
        except BadPrice as bad:
            if bad.reason == "price_is_range":
                raise
            continue
        # In `de 3 por 99`, three cost 99.
        if now.value <= former.value:
            return now, is_range
    for low_text, high_text in split_range(plain):
        try:
            low, high = _parse_ends(low_text, high_text, decimal, currency)
        except BadPrice:
            continue
        end = low if price_range == "low" else high if price_range == "high" else None
        if end is None:
            raise BadPrice("price_is_range", f"--price-range is {price_range}")
        return end, True
    raise unparsable


def _parse_ends(
    low_text: str, high_text: str, decimal: DecimalMark, currency: str
) -> tuple[_Single | None, _Single | None]:
    """Return both ends of a range, of which one may be missing."""
    texts = [text for text in (low_text, high_text) if text]
    named = {found.currency for text in texts if (found := _parse_single(text, decimal, "")).currency}
    # Two currencies, or falling ends, are two prices and no range.
    if len(named) > 1:
        raise BadPrice("price_unparsable", "")
    currency = named.pop() if named else currency
    low, high = (_parse_single(text, decimal, currency) if text else None for text in (low_text, high_text))
    if low and high and not 0 <= low.value <= high.value:
        raise BadPrice("price_unparsable", "")
    return low, high


def _parse_single(text: str, decimal: DecimalMark, currency: str) -> _Single:
    """Return one price; `currency` is that of texts that name none."""
    in_brackets = re.fullmatch(r"\((.+)\)", text)  # accountants write negative amounts so
    text = (in_brackets[1] if in_brackets else text).strip()
    if match := _MARK_AS_POINT.fullmatch(text):  # 12€50
        text = f"{match['whole']}.{match['cents']} {match['mark']}"
    match = _PRICE.fullmatch(text)
    if match is None:
        raise BadPrice("price_unparsable", "")
    named = parse_currency(f"{match['before']} {match['after']}")
    if named is None:
        raise BadPrice("price_unparsable", "several currencies")
    currency = named or currency
    number = match["number"]
    readings = list_readings(number)
    if match["no_cents"]:  # then every separator within the number stands for thousands
        readings = {mark: value for mark, value in readings.items() if mark not in number}
    if not readings:
        raise BadPrice("price_unparsable", "its separators fit no way of writing numbers")
    value = choose_value(readings, decimal, currency)
    is_negative = in_brackets or match["sign"] == "-" or match["inner_sign"]
    evident = readings if is_ambiguous(readings) or re.search("[.,]", number) else {}
    return _Single(-value if is_negative else value, currency, evident)
